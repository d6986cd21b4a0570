"""The number of seeds that would decide an undecided claim."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import bdtr, bdtrc, ndtri

from spikecheck.core.judgement import Outcome
from spikecheck.stats.averages import Values
from spikecheck.stats.bounds import judge
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


def seeds_to_decide_together(rules: Sequence[tuple[Sequence[float], Estimand]], alpha: float) -> int | None:
    """Approximate number of seeds that would decide several averages together, each given by its effects and its rule.

    One average on the wrong side of its limit is enough to fail them all, at its share of `alpha`, as in
    `spikecheck.stats.bounds.together`; otherwise the slowest of those that do not hold yet decides. None as in
    `seeds_to_decide`.
    """
    waiting = [rule for rule in rules if judge(0, *rule, alpha).outcome is not Outcome.HOLDS]
    wrong = [(values, predicts) for values, predicts in waiting if values and not _as_claimed(values, predicts)]
    failing = [seeds_to_decide(0, values, predicts, alpha / len(rules)) for values, predicts in wrong]
    if soonest := [needed for needed in failing if needed is not None]:
        return min(soonest)
    holding = [seeds_to_decide(0, values, predicts, alpha) for values, predicts in waiting]
    slowest = [needed for needed in holding if needed is not None]
    return max(slowest) if slowest and len(slowest) == len(holding) else None


def _as_claimed(values: Sequence[float], predicts: Estimand) -> bool:
    """Whether an average's estimate lies where the rule says, `worth` included."""
    assert isinstance(predicts, Average)
    centre = float(np.mean(values) if predicts.of == "mean" else np.median(values))
    return predicts.beyond(centre) >= predicts.worth


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
