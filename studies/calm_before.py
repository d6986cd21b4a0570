"""What an arm does to the loss before the spike that it removes: a table of `spikecheck.why.calm`.

It was looked at after the fixed set had been read, and decides nothing.
"""

from collections.abc import Iterator, Sequence

from spikecheck.why.arms import CLIPPED, FASTER_SECOND, HALF_RATE, LARGER_EPS
from spikecheck.why.calm import calm_before
from studies.spontaneous_page import Cell

_ARMS = (HALF_RATE.name, CLIPPED.name, FASTER_SECOND.name, LARGER_EPS.name)


def calm_table(cells: Sequence[Cell]) -> Iterator[str]:
    """A heading, and a line for every spike."""
    yield "## Before the onset\n"
    yield "Median loss from 16 steps after the fork to 9 before the onset, over that of the placebo.\n"
    yield f"| kind | seed | {' | '.join(_ARMS)} |"
    yield f"|---|---:|{'---:|' * len(_ARMS)}"
    for cell in cells:
        if cell.answer is not None and cell.answer.spike is not None:
            values = [calm_before(cell.answer, arm) for arm in _ARMS]
            row = " | ".join("-" if value is None else f"{value:.2f}" for value in values)
            yield f"| {cell.kind} | {cell.seed} | {row} |"
