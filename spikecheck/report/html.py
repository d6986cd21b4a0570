"""A report as one HTML file that needs nothing else: a pure function of the report.

Every string of a user's goes through `inert` and is escaped by Jinja; the page's policy lets nothing run but its own lines.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.answers import answer, level_says, moved_says, otherwise, stops
from spikecheck.report.axes import labels, title
from spikecheck.report.cells import face, fill, ink
from spikecheck.report.claim_figure import svg
from spikecheck.report.evidence import beside, counts, effect
from spikecheck.report.inert import inert
from spikecheck.report.outcomes import LOOKS, advice, standing
from spikecheck.report.together import together, too_close
from spikecheck.report.words import besides, conditions, differs, explained, lost, percent, plural, replay, tried

_WEB = Path(__file__).parent / "web"
_FIRST = ("fails", "invalid", "untriggered", "undecided", "passes")
"""What a reader has to see first."""
_ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5}(?:v\d+)?)")


def html(report: Report) -> str:
    """The whole report."""
    environment = Environment(
        loader=FileSystemLoader(_WEB),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["zip"] = zip
    environment.filters["capital"] = lambda text: text[:1].upper() + text[1:]
    script = (_WEB / "theme.js").read_text(encoding="utf-8")
    return environment.get_template("report.html.j2").render(
        report=report,
        together=together(report),
        too_close=too_close(report),
        verdicts=sorted(report.claims, key=lambda verdict: _FIRST.index(_in_all(verdict))),
        heading=_heading(report),
        style=Markup((_WEB / "style.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
        figure=lambda verdict: Markup(svg(verdict)),
        advised=lambda verdict: _advised(verdict, report),
        **_WORDS,
    )


def _heading(report: Report) -> str:
    found = [_in_all(verdict) for verdict in report.claims]
    count = {word: found.count(word) for word in _FIRST}
    verbs = {"fails": ("fails", "fail"), "passes": ("passes", "pass")}
    open_verbs = {word: (f"is {word}", f"are {word}") for word in _FIRST if word not in verbs}
    parts = [f"{count[w]} {(verbs | open_verbs)[w][count[w] != 1]}" for w in reversed(_FIRST) if count[w]]
    return f"{plural(len(found), 'claim')}: {', '.join(parts)}" if parts else "No claim was judged"


def _in_all(verdict: Verdict) -> str:
    """What the two answers make together, in one word; of what is open, why."""
    word = standing(verdict, brief=True).plain.lower()
    return word if word in _FIRST else _unsettled(verdict).value


def _unsettled(verdict: Verdict) -> Outcome:
    return verdict.replicates if verdict.replicates is not Outcome.HOLDS else verdict.generalises


def _standing(verdict: Verdict) -> str:
    said = standing(verdict).plain.lower()
    return said if said.startswith(_FIRST) else _in_all(verdict)


def _linked(text: str) -> Markup:
    """A place in the literature, with a link a paper."""
    return Markup(_ARXIV.sub(r'<a href="https://arxiv.org/abs/\1">arXiv \1</a>', str(escape(inert(text)))))


def _advised(verdict: Verdict, report: Report) -> list[str]:
    """What a reader can do about what is open, each said once."""
    asked = dict.fromkeys((verdict.replicates, verdict.generalises))
    said = (advice(verdict, outcome, report.profile, complete=report.complete) for outcome in asked)
    return [sentence for sentence in said if sentence]


def _searched(verdict: Verdict, setting: Setting) -> str:
    """What the search had found at a setting that was then judged on fresh seeds."""
    found = next((judgement for judgement in verdict.tried if judgement.setting == setting), None)
    if found is None:
        return "on fresh seeds"
    return f"on fresh seeds; in the search {found.outcome}, {found.held} of {found.applicable}"


def _paint(cell: Judgement) -> str:
    """A cell's colours as CSS; empty where its share may not be read."""
    background = fill(cell)
    if background is None:
        return ""
    return f"background:rgb{tuple(background)};color:rgb{tuple(ink(background))}"


def _harmless(value: Any) -> Any:
    """A user's string without what could do something, and a figure on one line with its percent sign."""
    return inert(value).replace(" %", "\u00a0%") if isinstance(value, str) and not isinstance(value, Markup) else value


_WORDS = {
    "LOOKS": LOOKS,
    "answer": answer,
    "axis_title": title,
    "beside": beside,
    "besides": besides,
    "conditions": conditions,
    "counts": counts,
    "differs": differs,
    "effect": effect,
    "explained": explained,
    "face": face,
    "in_all": _in_all,
    "level_says": level_says,
    "linked": _linked,
    "moved_says": moved_says,
    "otherwise": otherwise,
    "replay": replay,
    "searched": _searched,
    "labels": labels,
    "lost": lost,
    "numbered": lambda values: list(enumerate(values)),
    "paint": _paint,
    "percent": percent,
    "place": lambda share: f"{100 * share:.2f}",
    "plural": plural,
    "standing": _standing,
    "stops": stops,
    "tried": tried,
}
