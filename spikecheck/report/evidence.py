"""The evidence of one setting: how many seeds held, the average effect, which of the two decides, and the requirement."""

from rich.text import Text

from spikecheck.core.judgement import Companion, Judgement
from spikecheck.report.estimates import condition, counts, decides, effect, to_decide
from spikecheck.report.outcomes import LOOKS
from spikecheck.report.page import Page
from spikecheck.report.phrases import percent
from spikecheck.stats.prediction import Estimand

_CELLS = 40
"""Width of a bar from share 0 to share 1, at most, in characters."""


def show_evidence(page: Page, judgement: Judgement, predicts: Estimand | None = None) -> None:
    """Print the evidence of one judgement. `predicts` is the claim's rule, if known."""
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
    """A companion: a further effect that is reported but not judged."""
    return f"{effect(companion.effect)}; as predicted in {companion.held} of {companion.measured} (not judged)"


def interval_bar(judgement: Judgement, cells: int = _CELLS, *, ascii_only: bool) -> tuple[Text, ...]:
    """The interval as a bar from 0 to 1, and below it a mark at the required share, if a share is required.

    Shares are rounded down to whole characters, so that bounds and required share keep their order.
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
    """The mark below the bar, and its meaning on the side with room for it."""
    needed = _place(required, cells)
    label = f"required: {percent(required)}, bounds at {percent(judgement.level)}"
    if len(label) <= needed + 1:
        return f"{label} {mark}".rjust(needed + 3)
    return " " * (needed + 2) + f"{mark} {label}"


def _place(share: float, cells: int) -> int:
    return int(share * cells + 1e-9)
