"""A report as one HTML file that needs nothing else: a pure function of the report.

Every string of a user's goes through `inert` and is escaped by Jinja; the page's policy lets nothing run but its own lines.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from spikecheck.core.judgement import Judgement
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.axes import labels, title
from spikecheck.report.cells import face, fill, ink
from spikecheck.report.claim_figure import svg
from spikecheck.report.evidence import beside, counts, effect
from spikecheck.report.inert import inert
from spikecheck.report.outcomes import LOOKS, advice, standing
from spikecheck.report.words import answer, besides, conditions, differs, lost, percent, plural, stops, tried

_WEB = Path(__file__).parent / "web"
_FIRST = ("fails", "open", "passes")
"""What a reader has to see first."""


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
    environment.filters["capital"] = lambda text: text[:1].upper() + text[1:]
    script = (_WEB / "theme.js").read_text(encoding="utf-8")
    return environment.get_template("report.html.j2").render(
        report=report,
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
    verb = {"fails": ("fails", "fail"), "open": ("is open", "are open"), "passes": ("passes", "pass")}
    parts = [f"{count[word]} {verb[word][count[word] != 1]}" for word in reversed(_FIRST) if count[word]]
    return f"{plural(len(found), 'claim')}: {', '.join(parts)}" if parts else "No claim was judged"


def _in_all(verdict: Verdict) -> str:
    return standing(verdict, brief=True).plain.lower()


def _advised(verdict: Verdict, report: Report) -> list[str]:
    """What a reader can do about what is open, each said once."""
    asked = dict.fromkeys((verdict.replicates, verdict.generalises))
    said = (advice(verdict, outcome, report.profile, complete=report.complete) for outcome in asked)
    return [sentence for sentence in said if sentence]


def _paint(cell: Judgement) -> str:
    """A cell's colours as CSS; empty where its share may not be read."""
    background = fill(cell)
    if background is None:
        return ""
    return f"background:rgb{tuple(background)};color:rgb{tuple(ink(background))}"


def _harmless(value: Any) -> Any:
    return inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_WORDS = {
    "LOOKS": LOOKS,
    "alike": lambda verdict: sum(v.judgement.outcome is verdict.reference.outcome for v in verdict.robustness),
    "answer": answer,
    "axis_title": title,
    "beside": beside,
    "besides": besides,
    "conditions": conditions,
    "counts": counts,
    "differs": differs,
    "effect": effect,
    "face": face,
    "in_all": _in_all,
    "labels": labels,
    "lost": lost,
    "numbered": lambda values: list(enumerate(values)),
    "paint": _paint,
    "percent": percent,
    "place": lambda share: f"{100 * share:.2f}",
    "plural": plural,
    "standing": lambda verdict: standing(verdict).plain.lower(),
    "stops": stops,
    "tried": tried,
}
