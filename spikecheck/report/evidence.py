"""One setting's seeds in figures: how many held, the average effect, which of the two decides, and against what."""

from rich.text import Text

from spikecheck.core.judgement import Companion, Judgement
from spikecheck.report.estimates import condition, counts, decides, effect, to_decide
from spikecheck.report.outcomes import LOOKS
from spikecheck.report.page import Page
from spikecheck.report.phrases import percent
from spikecheck.stats.prediction import Estimand

_CELLS = 40
"""Most characters between a share of 0 and a share of 1."""


def show_evidence(page: Page, judgement: Judgement, predicts: Estimand | None = None) -> None:
    """Print what one judgement rests on. `predicts` is the rule, where it is known."""
    if not judgement.drawn:
        page.row("seeds", "not reached: nothing was trained for it")
        return
    page.row("seeds", counts(judgement))
    if judgement.applicable:
        cells = min(_CELLS, page.room - len("0  1") - 1)
        page.rows("", interval_bar(judgement, cells, ascii_only=page.ascii_only))
        page.row("effect", effect(judgement.effect))
        page.row("decides", decides(judgement, predicts))
        page.rows("and", map(condition, judgement.conditions))
        page.rows("beside", [beside(companion) for companion in judgement.companions], "dim")
        page.rows("undecided", filter(None, [to_decide(judgement)]), "yellow")


def beside(companion: Companion) -> str:
    """A further effect, which is reported and not judged."""
    return f"{effect(companion.effect)}; as predicted in {companion.held} of {companion.measured} (not judged)"


def interval_bar(judgement: Judgement, cells: int = _CELLS, *, ascii_only: bool) -> tuple[Text, ...]:
    """The interval on a line from 0 to 1, and beneath it where the required share lies, if a share is required.

    Shares are rounded down to a character, so that the order of the bounds and the required share is never turned.
    """
    left, right, line, point, empty = "[]-*." if ascii_only else "├┤─●·"
    held = judgement.held / judgement.applicable
    low, middle, high = (_place(share, cells) for share in (judgement.low, held, judgement.high))
    drawn = [empty] * (cells + 1)
    drawn[low : high + 1] = line * (high - low + 1)
    drawn[low], drawn[high], drawn[middle] = left, right, point
    style = LOOKS[judgement.outcome].style if judgement.required is not None else "bold"
    bar = Text.assemble("0 ", ("".join(drawn), style), " 1")
    if judgement.required is None:
        return (bar,)
    return bar, Text(_required(judgement, judgement.required, cells, "^" if ascii_only else "▲"), style="bold")


def _required(judgement: Judgement, required: float, cells: int, mark: str) -> str:
    """The mark beneath the bar, with what it means on the side where there is room."""
    needed = _place(required, cells)
    asked = f"required: {percent(required)}, bounds at {percent(judgement.level)}"
    if len(asked) <= needed + 1:
        return f"{asked} {mark}".rjust(needed + 3)
    return " " * (needed + 2) + f"{mark} {asked}"


def _place(share: float, cells: int) -> int:
    return int(share * cells + 1e-9)
