"""Whether a fork spikes, and how high: by the detector that found the spike, and by its level and spread."""

import math
from collections.abc import Sequence

import numpy as np

from spikecheck.core.why import HIGHEST
from spikecheck.watch.detector import Detector
from spikecheck.watch.thresholds import HISTORY
from spikecheck.why.scene import LEAD, Scene

_TOGETHER = 5
"""Losses whose mean is a height: one loss alone is noise."""
LATE = 32
"""Last losses of a fork, of which its cost is read off."""


def height(losses: Sequence[float], scene: Scene) -> float:
    """The largest mean of five losses in a row from shortly before the onset on, above the level, in spreads.

    `losses` are the fork's, from `scene.start` on. At most `HIGHEST`, which stands for a loss that is not finite as well.
    """
    late = np.array(losses[max(0, scene.onset - LEAD - scene.start) :])
    if not np.isfinite(late).all():
        return HIGHEST
    means = np.convolve(late, np.full(_TOGETHER, 1.0 / _TOGETHER), mode="valid")
    return min(float((means.max() - scene.level) / scene.spread), HIGHEST)


def alarms(before: Sequence[float], losses: Sequence[float], scene: Scene) -> bool:
    """Whether the detector finds a spike in the fork, having read the losses of the run before it."""
    detector = Detector()
    known = before[-HISTORY:]
    for step, loss in enumerate([*known, *losses], scene.start - len(known)):
        detector.update(step, loss)
    spikes = [*detector.spikes, *detector.recurring]
    return any(spike.onset >= scene.start for spike in spikes)


def late(losses: Sequence[float]) -> float | None:
    """The median of the last losses; None where one of them is not finite."""
    last = list(losses[-LATE:])
    return float(np.median(last)) if last and all(map(math.isfinite, last)) else None
