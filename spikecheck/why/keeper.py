"""States kept in files while a workload is trained for the first time, so that the way to its spike is short."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from spikecheck.core.errors import SpikecheckError
from spikecheck.watch.detector import Detector
from spikecheck.watch.training import Training
from spikecheck.why.ring import EVERY
from spikecheck.why.spikes import Run, first_costly
from spikecheck.why.states import States

_SHARE = 30
"""Writing states takes at most one part in so many of the time, as checkpoints do."""


@dataclass
class Keeper:
    """Keeps the last two states of a run until it spikes, and then the two from before."""

    states: States
    at: int | None = None
    """A step of the spike to explain; None for the first that is not benign."""
    _detector: Detector = field(default_factory=Detector)
    _read: int = 0
    _kept: list[int] = field(default_factory=list)
    _saved: float = field(default_factory=time.monotonic)
    _cost: float = 0.0

    def __call__(self, training: Training, losses: Sequence[float]) -> None:
        """Note how far the run is; `losses` are all since step 0."""
        for step in range(self._read, len(losses)):
            self._detector.update(step, losses[step])
        self._read = len(losses)
        if self._due(training.steps, losses):
            self._keep(training)

    def _due(self, steps: int, losses: Sequence[float]) -> bool:
        last = self._kept[-1] if self._kept else 0
        if steps - last < EVERY or time.monotonic() - self._saved < _SHARE * self._cost:
            return False
        return steps < self.at if self.at is not None else first_costly(Run(0, losses), self._detector.spikes) is None

    def _keep(self, training: Training) -> None:
        """A state that cannot be kept costs time later, and not the run."""
        began = time.monotonic()
        with suppress(SpikecheckError):
            self.states.keep(training.snapshot())
        self._kept.append(training.steps)
        for step in self._kept[:-2]:
            self.states.path(step).unlink(missing_ok=True)
        self._kept = self._kept[-2:]
        self._saved = time.monotonic()
        self._cost = self._saved - began
