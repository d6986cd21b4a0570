"""Whether a fork spikes, and how high: by the detector that found the spike, and by its level and spread."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spikecheck.core.why import HIGHEST
from spikecheck.watch.detector import Detector
from spikecheck.watch.thresholds import HISTORY
from spikecheck.why.scene import LEAD, Scene

_TOGETHER = 5
"""Losses whose mean is a height: one loss alone is noise."""
HALF = 0.5
"""Share of a height below which a spike is not the same any more."""
LATE = 32
"""Last losses of a fork, of which its cost is read off."""


@dataclass(frozen=True)
class Seen:
    """A fork's losses, and what they show."""

    losses: Sequence[float]
    height: float
    alarms: bool
    """Whether the detector finds a spike."""
    spikes: bool
    """Whether it does, or the excursion is at least half as high as the run's own."""
    late: float | None


class Reader:
    """Reads forks' losses as the detector would have, had the run gone on so."""

    def __init__(self, before: Sequence[float], scene: Scene, own: Sequence[float]) -> None:
        """`before` are the run's losses up to the fork, the last of step `scene.start` - 1; `own` its losses from there on."""
        self.scene = scene
        self._half = HALF * self.height(own)
        self._noise = self._highest(own[: max(0, scene.onset - LEAD - scene.start)])
        self._detector = Detector()
        known = before[-HISTORY:]
        for step, loss in enumerate(known, scene.start - len(known)):
            self._detector.update(step, loss)

    @property
    def resolves(self) -> bool:
        """Whether half the run's own excursion is above the noise before it: what is below half may else be so by chance."""
        return self._half > self._noise

    def seen(self, losses: Sequence[float]) -> Seen:
        """A fork, judged."""
        height, alarms = self.height(losses), self.alarms(losses)
        return Seen(losses, height, alarms, alarms or height >= self._half, late_loss(losses))

    def alarms(self, losses: Sequence[float]) -> bool:
        """Whether the detector finds a spike in the fork."""
        detector = copy.deepcopy(self._detector)
        for step, loss in enumerate(losses, self.scene.start):
            detector.update(step, loss)
        return any(spike.onset >= self.scene.start for spike in [*detector.spikes, *detector.recurring])

    def height(self, losses: Sequence[float]) -> float:
        """The largest mean of five losses in a row from shortly before the onset on, above the level, in spreads.

        At most `HIGHEST`, which stands for a loss that is not finite as well.
        """
        return self._highest(losses[max(0, self.scene.onset - LEAD - self.scene.start) :])

    def _highest(self, losses: Sequence[float]) -> float:
        """The largest mean of five losses in a row, above the level, in spreads; the level where there are fewer."""
        if len(losses) < _TOGETHER:
            return 0.0
        if not np.isfinite(losses).all():
            return HIGHEST
        means = np.convolve(losses, np.full(_TOGETHER, 1.0 / _TOGETHER), mode="valid")
        return min(float((means.max() - self.scene.level) / self.scene.spread), HIGHEST)


def late_loss(losses: Sequence[float]) -> float | None:
    """The median of the last losses; None where one of them is not finite."""
    last = list(losses[-LATE:])
    return float(np.median(last)) if last and all(map(math.isfinite, last)) else None
