"""A report as one HTML file that needs nothing else: a pure function of the report."""

import re

from markupsafe import Markup, escape

from spikecheck.core.judgement import Answer, Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.advice import advised
from spikecheck.report.axes import labels, title
from spikecheck.report.beside import beside_says
from spikecheck.report.cells import fill, ink, written
from spikecheck.report.claim_figure import svg
from spikecheck.report.controls import Mark, Told, also_negative, contrasted, negative, planted, signed
from spikecheck.report.estimates import (
    average_in_brief,
    condition,
    counts,
    decider,
    decides,
    effect,
    shown_average,
    to_decide,
)
from spikecheck.report.evidence import beside
from spikecheck.report.familywise import together, too_close
from spikecheck.report.opposed import opposed
from spikecheck.report.outcomes import LOOKS, STATES, Word, standing, word_of
from spikecheck.report.phrases import (
    conditions,
    differs,
    explained,
    lost,
    not_asked,
    percent,
    plural,
    reach_in_brief,
    reached,
    replay,
    tried,
    unregistered,
)
from spikecheck.report.quoted import ROLES, at_reference, besides, nominated, rule_of
from spikecheck.report.related import related
from spikecheck.report.sanitize import inert
from spikecheck.report.size import size_in_words
from spikecheck.report.strip import deciding_strip, share_strip
from spikecheck.report.summary import behind, headline, level_says, moved_says, stops
from spikecheck.report.web_page import rendered

_FIRST: tuple[Word, ...] = ("fails", "invalid", "untriggered", "undecided", "passes")
"""What a reader has to see first."""
_SCRIPTS = ("theme.js", "overview.js")
"""One element on the page, and one hash in its policy."""
_ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5}(?:v\d+)?)")


def html(report: Report) -> str:
    """The whole report."""
    return rendered(
        "report.html.j2",
        _SCRIPTS,
        report=report,
        together=together(report),
        too_close=too_close(report),
        verdicts=sorted(report.claims, key=lambda verdict: _FIRST.index(word_of(verdict))),
        heading=_heading(report),
        not_asked=not_asked(report),
        words_there=[word for word in _FIRST if any(word_of(verdict) == word for verdict in report.claims)],
        related=lambda verdict: related(verdict, report),
        figure=lambda verdict: Markup(svg(verdict)),
        advised=lambda verdict: advised(verdict, report),
        **_WORDS,
    )


def _heading(report: Report) -> str:
    found = [word_of(verdict) for verdict in report.claims]
    count = {word: found.count(word) for word in _FIRST}
    verbs = {"fails": ("fails", "fail"), "passes": ("passes", "pass")}
    open_verbs = {word: (f"is {word}", f"are {word}") for word in _FIRST if word not in verbs}
    parts = [f"{count[w]} {(verbs | open_verbs)[w][count[w] != 1]}" for w in reversed(_FIRST) if count[w]]
    return f"{plural(len(found), 'claim')}: {', '.join(parts)}" if parts else "No claim was judged"


def _linked(text: str) -> Markup:
    """A place in the literature, with a link a paper."""
    return Markup(_ARXIV.sub(r'<a href="https://arxiv.org/abs/\1">arXiv \1</a>', str(escape(inert(text)))))


def _guard_says(found: Answer, verdict: Verdict) -> list[Told]:
    """What guards an answer away from the reference, where it was asked."""
    control = [negative(found, rule_of(verdict))] if found.control is not None else []
    further = [told for _, told in also_negative(found, rule_of(verdict))]
    return [*control, *filter(None, (contrasted(found), *further, planted(found, rule_of(verdict))))]


def _beside_settings(verdict: Verdict) -> list[Setting | None]:
    """The settings of the lines that `beside_says` gives; of an old report's None."""
    found = besides(verdict)
    return [*(answer.judgement.setting for answer in found.values()), *[None] * (len(verdict.beside) - len(found))]


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


_MARKS = {Mark.GOOD: "holds", Mark.BAD: "invalid", Mark.UNCLEAR: "undecided", Mark.PLAIN: ""}
"""The colours of what controls did."""

_WORDS = {
    "LOOKS": LOOKS,
    "SIGNS": {word: LOOKS[Outcome.HOLDS if word == "passes" else Outcome(word)].sign for word in STATES},
    "MARKS": _MARKS,
    "ROLES": ROLES,
    "also_negative": also_negative,
    "at_reference": at_reference,
    "average_in_brief": average_in_brief,
    "axis_title": title,
    "behind": behind,
    "beside": beside,
    "beside_says": beside_says,
    "beside_settings": _beside_settings,
    "condition": condition,
    "conditions": conditions,
    "contrasted": contrasted,
    "counts": counts,
    "decider": decider,
    "decides": decides,
    "deciding_strip": deciding_strip,
    "differs": differs,
    "effect": effect,
    "explained": explained,
    "guard_says": _guard_says,
    "headline": headline,
    "in_all": word_of,
    "labels": labels,
    "level_says": level_says,
    "linked": _linked,
    "lost": lost,
    "moved_says": moved_says,
    "negative": negative,
    "nominated": nominated,
    "numbered": lambda values: list(enumerate(values)),
    "opposed": opposed,
    "paint": _paint,
    "percent": percent,
    "planted": planted,
    "plural": plural,
    "reach_in_brief": reach_in_brief,
    "reached": reached,
    "replay": replay,
    "rule_of": rule_of,
    "searched": _searched,
    "share_strip": share_strip,
    "shown_average": shown_average,
    "signed": signed,
    "size_in_words": size_in_words,
    "standing": lambda verdict: standing(verdict).plain.lower(),
    "stops": stops,
    "to_decide": to_decide,
    "tried": tried,
    "unregistered": unregistered,
    "written": written,
}
