"""A training run until it spikes, with its last states kept in memory."""

import math
from collections.abc import Callable

from spikecheck.watch.detector import Detector, NoisySpike
from spikecheck.watch.training import Snapshot, Training
from spikecheck.why.excursion import NEAR
from spikecheck.why.scene import BEFORE, BENIGN_AFTER, LONGEST, scene_of
from spikecheck.why.spikes import Run, first_costly

EVERY = 256
"""Steps between two states that are kept, so that two of them reach further back than an onset lies before its alarm."""
_AT_ONCE = 64
"""Steps between two looks at the losses; a divisor of `EVERY`."""


class Ring:
    """The state in which a training began, and the last two that were kept."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self.first = training.snapshot()
        """The training returns to it in the end."""
        self._last: list[Snapshot] = []

    def keep(self) -> None:
        """Keep the state that the training is in, and forget all but the last two."""
        self._last = [*self._last[-1:], self._training.snapshot()]

    def before(self, step: int) -> Snapshot:
        """The latest kept state at or before a step."""
        kept = [self.first, *self._last]
        return max((state for state in kept if state.steps <= step), key=lambda state: state.steps)


def watched_run(training: Training, steps: int, ring: Ring, at: int | None, tick: Callable[[int], None]) -> Run:
    """Run until the spike to explain, and the steps that its forks need, are over.

    Args:
        training: continues from its present state, and is left after the last step.
        steps: largest number of steps.
        ring: keeps states until there is such a spike.
        at: a step of the spike to explain; None for the first that is not benign.
        tick: called with the number of steps just made.
    """
    losses: list[float] = []
    run, detector = Run(training.steps, losses), Detector()
    while (left := steps - len(losses)) > 0:
        spike = first_costly(run, detector.spikes) if at is None else None
        if training.steps >= _enough(run, spike, at):
            break
        if spike is None and len(losses) % EVERY == 0 and (at is None or training.steps <= at - NEAR - BEFORE):
            ring.keep()
        made = training.run(min(left, _AT_ONCE))
        for step, loss in enumerate(made, run.first + len(losses)):
            detector.update(step, loss)
        losses += made
        tick(len(made))
    return run


def _enough(run: Run, spike: NoisySpike | None, at: int | None) -> float:
    """The step after which nothing more of the run is needed."""
    if spike is None:
        return math.inf if at is None else at + NEAR + LONGEST
    longest = spike.onset + LONGEST
    return longest if spike.over is None else min(longest, scene_of(spike, longest, run.first).end + BENIGN_AFTER)
