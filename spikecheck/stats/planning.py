"""The number of seeds that would decide an undecided claim."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import bdtr, bdtrc, ndtri

from spikecheck.stats.averages import Values
from spikecheck.stats.prediction import Average, Estimand, Prediction

_MOST = 1_000_000
"""Largest number of seeds considered: an estimate that needs more is as good as on the limit."""


def seeds_to_decide(held: int, scores: Sequence[float], predicts: Estimand, alpha: float) -> int | None:
    """Approximate number of applicable seeds that would decide, if share and spread stay those of the [S] scores.

    None where no number up to a million would, or where there are no scores.

    >>> seeds_to_decide(9, [1.0] * 9 + [-1.0], Prediction(above=0.0), 0.05)
    44
    """
    if not scores:
        return None
    if isinstance(predicts, Prediction):
        return _for_a_share(held / len(scores), predicts.of_seeds, alpha)
    return _for_an_average(np.array(scores), predicts, alpha)


def _for_a_share(share: float, required: float, alpha: float) -> int | None:
    """The smallest number of seeds, in steps of 5 %, at which an exact bound clears the required share."""
    if share == required:
        return None
    count = 4.0
    while count < _MOST:
        seeds = math.ceil(count)
        held = round(share * seeds)
        tail = bdtrc(held - 1, seeds, required) if share > required else bdtr(held, seeds, required)
        if tail <= alpha:
            return seeds
        count *= 1.05
    return None


def _for_an_average(values: Values, predicts: Average, alpha: float) -> int | None:
    """The number of seeds at which the distance to the deciding limit is enough standard errors.

    The standard error of a median is sqrt(pi/2) times that of the mean, for normal effects.
    """
    if len(values) < 2:
        return None
    centre = float(values.mean() if predicts.of == "mean" else np.median(values))
    spread = float(values.std(ddof=1)) * (1.0 if predicts.of == "mean" else math.sqrt(math.pi / 2))
    within = predicts.beyond(centre)
    away = within if within >= predicts.worth else predicts.worth - within
    if away == 0.0:
        return None
    needed = (float(ndtri(1 - alpha)) * spread / away) ** 2
    return max(predicts.fewest(), math.ceil(needed)) if needed < _MOST else None
