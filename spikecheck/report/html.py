"""A report as one self-contained HTML file: a pure function of the report."""

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
from spikecheck.report.controls import ControlResult, Mark, also_negative, contrasted, negative, planted, signed
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
    unread,
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
"""Order of the claims on the page, the most urgent first."""
_SCRIPTS = ("theme.js", "overview.js")
"""Files under web/ that become one script element, allowed by its hash in the page's security policy."""
_ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5}(?:v\d+)?)")


def html(report: Report) -> str:
    """The page as text."""
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
    words = [word_of(verdict) for verdict in report.claims]
    count = {word: words.count(word) for word in _FIRST}
    verbs = {"fails": ("fails", "fail"), "passes": ("passes", "pass")}
    open_verbs = {word: (f"is {word}", f"are {word}") for word in _FIRST if word not in verbs}
    parts = [f"{count[w]} {(verbs | open_verbs)[w][count[w] != 1]}" for w in reversed(_FIRST) if count[w]]
    return f"{plural(len(words), 'claim')}: {', '.join(parts)}" if parts else "No claim was judged"


def _linked(text: str) -> Markup:
    """A reference to the literature; arXiv numbers become links."""
    return Markup(_ARXIV.sub(r'<a href="https://arxiv.org/abs/\1">arXiv \1</a>', str(escape(inert(text)))))


def _guard_says(answer: Answer, verdict: Verdict) -> list[ControlResult]:
    """The controls of an answer away from the reference, as far as they were run."""
    control = [negative(answer, rule_of(verdict))] if answer.control is not None else []
    further = [result for _, result in also_negative(answer, rule_of(verdict))]
    return [*control, *filter(None, (contrasted(answer), *further, planted(answer, rule_of(verdict))))]


def _beside_settings(verdict: Verdict) -> list[Setting | None]:
    """The setting of each line of `beside_says`; None for settings that an old report judged in the search only."""
    judged = besides(verdict)
    return [*(answer.judgement.setting for answer in judged.values()), *[None] * (len(verdict.beside) - len(judged))]


def _searched(verdict: Verdict, setting: Setting) -> str:
    """On which seeds a nominated setting was judged, and its result in the search."""
    searched = next((judgement for judgement in verdict.tried if judgement.setting == setting), None)
    if searched is None:
        return "on fresh seeds"
    return f"on fresh seeds; in the search {searched.outcome}, {searched.held} of {searched.applicable}"


def _paint(cell: Judgement) -> str:
    """A cell's colours as CSS; empty if the cell was lost or untriggered."""
    background = fill(cell)
    if background is None:
        return ""
    return f"background:rgb{tuple(background)};color:rgb{tuple(ink(background))}"


_MARKS = {Mark.GOOD: "holds", Mark.BAD: "invalid", Mark.UNCLEAR: "undecided", Mark.PLAIN: ""}
"""CSS class of each mark."""

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
    "unread": unread,
    "unregistered": unregistered,
    "written": written,
}
