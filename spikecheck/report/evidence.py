"""One setting's seeds in figures: how many held, with an interval against what is required, and the effect."""

from rich.text import Text

from spikecheck.core.judgement import Companion, Effect, Judgement
from spikecheck.report.inert import inert
from spikecheck.report.outcomes import LOOKS
from spikecheck.report.page import Page
from spikecheck.report.words import percent

_CELLS = 40
"""Most characters between a share of 0 and a share of 1."""


def show_evidence(page: Page, judgement: Judgement) -> None:
    """Print what one judgement rests on."""
    if not judgement.drawn:
        page.row("seeds", "not reached: nothing was trained for it")
        return
    page.row("seeds", counts(judgement))
    if judgement.applicable:
        cells = min(_CELLS, page.room - len("0  1") - 1)
        page.rows("", interval_bar(judgement, cells, ascii_only=page.ascii_only))
        page.row("effect", effect(judgement.effect))
        page.rows("beside", [beside(companion) for companion in judgement.companions], "dim")


def beside(companion: Companion) -> str:
    """A further effect, which is reported and not judged."""
    return f"{inert(effect(companion.effect))}; as predicted in {companion.held} of {companion.measured} (not judged)"


def counts(judgement: Judgement) -> str:
    """How many seeds held, and between which shares that puts the truth."""
    if not judgement.applicable:
        if judgement.numerical_failures:
            return f"none of the {judgement.drawn} trained gave an answer: {judgement.numerical_failures} numerical failures"
        return f"none of the {judgement.drawn} trained met the precondition"
    return (
        f"held in {judgement.held} of {judgement.applicable} applicable ({judgement.drawn} trained): "
        f"share {percent(judgement.low)} to {percent(judgement.high)}"
    )


def interval_bar(judgement: Judgement, cells: int = _CELLS, *, ascii_only: bool) -> tuple[Text, Text]:
    """The interval on a line from 0 to 1, and beneath it where the required share lies.

    Shares are rounded down to a character, so that the order of the bounds and the required share is never turned.
    """
    left, right, line, point, empty, mark = "[]-*.^" if ascii_only else "├┤─●·▲"
    held = judgement.held / judgement.applicable
    places = (int(share * cells + 1e-9) for share in (judgement.low, held, judgement.high, judgement.required))
    low, middle, high, needed = places
    drawn = [empty] * (cells + 1)
    drawn[low : high + 1] = line * (high - low + 1)
    drawn[low], drawn[high], drawn[middle] = left, right, point
    bar = Text.assemble("0 ", ("".join(drawn), LOOKS[judgement.outcome].style), " 1")
    asked = f"required: {percent(judgement.required)}, bounds at {percent(judgement.level)}"
    beneath = (
        f"{asked} {mark}".rjust(needed + 3) if len(asked) <= needed + 1 else " " * (needed + 2) + f"{mark} {asked}"
    )
    return bar, Text(beneath, style="bold")


def effect(found: Effect) -> str:
    """An effect's median and interval, with its unit."""
    if found.median is None or found.low is None or found.high is None:
        return "not measured"
    return f"median {found.median:.3g}, interval {found.low:.3g} to {found.high:.3g} ({inert(found.unit)})"
