"""What an arm does to the loss before the spike that it removes: forks begin 64 steps earlier, and most arms act at once.

An arm that has lowered the loss long before the onset removes more than the spike. It was looked at after the fixed set
had been read, and decides nothing.
"""

from collections.abc import Iterator, Sequence
from statistics import median

from spikecheck.core.why import Answer, ArmResult
from spikecheck.why.arms import CLIPPED, FASTER_SECOND, HALF_RATE, LARGER_EPS, PLACEBO
from spikecheck.why.scene import LEAD
from studies.spontaneous_page import Cell

SETTLES = 16
"""Steps that an arm is given before its losses count: Adam's first moment forgets in 10."""
_ARMS = (HALF_RATE.name, CLIPPED.name, FASTER_SECOND.name, LARGER_EPS.name)


def calm_before(answer: Answer, arm: str) -> float | None:
    """Median loss of the arm's forks before the onset over that of the placebo's; None where either has none."""
    own, placebo = (_before(answer, name) for name in (arm, PLACEBO.name))
    return None if own is None or not placebo else own / placebo


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


def _before(answer: Answer, name: str) -> float | None:
    """Median over forks of the median loss from 16 steps after the fork to 9 before the onset."""
    arms = [one for one in answer.arms if one.name == name]
    medians = (
        [] if answer.spike is None or answer.start is None else list(_medians(arms, answer.spike.onset - answer.start))
    )
    return median(medians) if medians else None


def _medians(arms: Sequence[ArmResult], onset: int) -> Iterator[float]:
    for arm in arms:
        for fork in arm.forks:
            losses = [loss for loss in fork.losses[SETTLES : onset - LEAD] if loss is not None]
            if losses:
                yield median(losses)
