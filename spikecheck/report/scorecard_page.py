"""A gate's scorecard as one self-contained HTML file: a pure function of the scorecard."""

from collections.abc import Sequence

from markupsafe import Markup

from spikecheck.core.scorecard import Change, Decision, Row, Scorecard
from spikecheck.report.curve_figure import curves_svg
from spikecheck.report.sanitize import inert
from spikecheck.report.scorecard import SIGNS, closing, contestant_says, row_word, shown, verdict_says
from spikecheck.report.strip import row_strip
from spikecheck.report.web_page import rendered

_SCRIPTS = ("theme.js",)
_COLOURS = {Change.WORSE: "fails", Change.BETTER: "holds", Change.SAME: "holds", Change.UNDECIDED: "undecided"}
_DECISIONS = {Decision.PASSED: "holds", Decision.REGRESSED: "fails", Decision.NOT_DECIDED: "undecided"}
_ORDER = (Change.WORSE, Change.BETTER, Change.SAME, Change.UNDECIDED)


def scorecard_html(card: Scorecard) -> str:
    """The page as text."""
    return rendered(
        "gate.html.j2",
        _SCRIPTS,
        card=card,
        says=verdict_says(card),
        decision=_DECISIONS[card.decision],
        closing=closing(card),
        first=worst_first(shown(card.rows)),
        every=card.rows,
        contestant_says=contestant_says,
        word=row_word,
        sign=lambda row: SIGNS[row.change][0],
        colour=_colour,
        row_strip=row_strip,
        finds=finds,
        curves=_curves(card),
    )


def refusal_html(reason: str) -> str:
    """The page for a gate that could not be run."""
    return rendered("gate_not_held.html.j2", _SCRIPTS, reason=reason)


def worst_first(rows: Sequence[Row]) -> list[Row]:
    """Sort rows: failing ones first, the worst of them at the top; then those that look worse; then the others."""
    return sorted(rows, key=lambda row: (not row.fails, not row.looks_worse, _ORDER.index(row.change), -_excess(row)))


def finds(row: Row) -> str:
    """The smallest difference that the gate finds with this number of trainings."""
    if row.detectable is None:
        return "finds no difference: too few trainings"
    return f"finds a difference of {row.detectable:.2g} with 80 % power"


def _excess(row: Row) -> float:
    """The row's difference in units of its margin."""
    return row.difference / row.margin if row.margin else row.difference


def _colour(row: Row) -> str:
    return _COLOURS[row.change] if row.alarms or row.change in (Change.SAME, Change.UNDECIDED) else ""


def _curves(card: Scorecard) -> list[tuple[str, list[str], Markup]]:
    """For each setting with curves: its name, the sides, and the figure."""
    figures = []
    for number, place in enumerate(card.places):
        sides = {side: bands[place.name] for side, bands in card.curves.items() if place.name in bands}
        if sides:
            figures.append((inert(place.name), list(sides), Markup(curves_svg(sides, f"curves-{number}"))))
    return figures
