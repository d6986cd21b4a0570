"""What an arm does to the loss before the spike: forks begin 64 steps earlier, and most arms act at once.

An arm that has calmed the whole training by then removes whatever raises the loss. This decides nothing; an answer says so.
docs/spontaneous.md has the trainings in which it was seen.
"""

from collections.abc import Iterator
from statistics import median

from spikecheck.core.why import HIGHEST, Answer, ArmResult
from spikecheck.why.arms import PLACEBO
from spikecheck.why.heights import HALF
from spikecheck.why.scene import LEAD, unit

_SETTLES = 16
"""Steps that an arm is given before its losses count: Adam's first moment forgets in 10."""


def calm_before(answer: Answer, arm: str) -> float | None:
    """Median loss of the arm's forks before the onset over that of the placebo's; None where either has none."""
    own, placebo = (_before(answer, name) for name in (arm, PLACEBO.name))
    return None if own is None or not placebo else own / placebo


def removes_any(answer: Answer, arm: str) -> bool:
    """Whether the arm has lowered the loss so far that a spike as high in proportion as the placebo's would count as removed.

    It would reach `calm_before` times the placebo's peak, and counts as removed below half of the placebo's height above the
    run's level. Of losses that are not positive, and of heights that stand for infinity, nothing is said.
    """
    calm, spike = calm_before(answer, arm), answer.spike
    height = next((one.height for one in answer.arms if one.name == PLACEBO.name), None)
    if calm is None or spike is None or height is None or height >= HIGHEST or spike.level <= 0.0:
        return False
    rise = height * unit(spike.level, spike.spread)
    return calm > 0.0 and calm * (spike.level + rise) < spike.level + HALF * rise


def _before(answer: Answer, name: str) -> float | None:
    """Median over forks of the median loss from 16 steps after the fork to 9 before the onset."""
    arms = [one for one in answer.arms if one.name == name]
    medians = (
        [] if answer.spike is None or answer.start is None else list(_medians(arms, answer.spike.onset - answer.start))
    )
    return median(medians) if medians else None


def _medians(arms: list[ArmResult], onset: int) -> Iterator[float]:
    for arm in arms:
        for fork in arm.forks:
            losses = [loss for loss in fork.losses[_SETTLES : max(0, onset - LEAD)] if loss is not None]
            if losses:
                yield median(losses)
