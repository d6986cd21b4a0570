"""Exact binomial bounds, intervals for averages, and the outcome that they decide."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from spikecheck.core.judgement import Outcome
from spikecheck.stats.averages import Interval, Values, mean_interval, median_interval
from spikecheck.stats.prediction import Average, Bounds, Estimand, Prediction


@dataclass(frozen=True)
class Decision:
    """An outcome, one-sided bounds on the share of seeds in which the prediction held, and bounds on the average effect."""

    outcome: Outcome
    low: float
    high: float
    average: Interval | None = None
    """The average that decides; None where the share decides, or where no seed has an effect."""


def clopper_pearson(held: int, applicable: int, alpha: float) -> tuple[float, float]:
    """Lower and upper bound on a binomial share, each wrong with probability at most `alpha` (Clopper & Pearson 1934).

    >>> low, high = clopper_pearson(14, 14, 0.05)
    >>> round(low, 4), high   # 0.05 ** (1 / 14)
    (0.8074, 1.0)
    """
    low = float(betaincinv(held, applicable - held + 1, alpha)) if held else 0.0
    high = float(betaincinv(held + 1, applicable - held, 1.0 - alpha)) if held < applicable else 1.0
    return low, high


def judge(held: int, scores: Sequence[float], predicts: Estimand, alpha: float) -> Decision:
    """Judge a prediction by the effects of [S] applicable seeds, of which `held` met it, with bounds at `alpha`.

    The outcome is UNTRIGGERED where there are fewer applicable seeds than the prediction needs to hold.
    """
    low, high = clopper_pearson(held, len(scores), alpha)
    average = average_interval(np.array(scores), predicts, alpha) if isinstance(predicts, Average) and scores else None
    if len(scores) < predicts.fewest():
        return Decision(Outcome.UNTRIGGERED, low, high, average)
    if isinstance(predicts, Prediction):
        return Decision(of_share(low, high, predicts.of_seeds), low, high)
    assert average is not None
    return Decision(of_average(average, predicts), low, high, average)


def together(rules: Sequence[tuple[Sequence[float], Estimand]], alpha: float) -> Outcome:
    """Joint outcome of several averages on the same seeds, each given by its effects; the first is the claim's own.

    HOLDS where every average holds at `alpha`, which errs no more often than a single one. FAILS where any average fails at
    its share of alpha, `alpha / len(rules)`.
    """
    if any(judge(0, values, predicts, alpha / len(rules)).outcome is Outcome.FAILS for values, predicts in rules):
        return Outcome.FAILS
    own, *others = (judge(0, values, predicts, alpha).outcome for values, predicts in rules)
    if own is Outcome.UNTRIGGERED or (own is Outcome.HOLDS and all(other is Outcome.HOLDS for other in others)):
        return own
    return Outcome.UNDECIDED


def of_share(low: float, high: float, required: float) -> Outcome:
    """HOLDS if the lower bound reaches the required share, FAILS if the upper bound is below it, else UNDECIDED."""
    if low >= required:
        return Outcome.HOLDS
    return Outcome.FAILS if high < required else Outcome.UNDECIDED


def average_interval(values: Values, predicts: Average, alpha: float) -> Interval:
    """Interval for the prediction's average, mean or median, of [S] values."""
    return mean_interval(values, alpha) if predicts.of == "mean" else median_interval(values, alpha)


def of_average(interval: Interval, predicts: Average) -> Outcome:
    """FAILS if the interval lies beyond a limit, or short of `worth`; HOLDS if both bounds lie within the limits.

    To hold, the estimate itself must reach `worth` as well. Otherwise a small average above its limit would both hold and
    fail, and the number of seeds at the time of the look would decide between the two.
    """
    lowest = -math.inf if predicts.floor is None else predicts.floor + predicts.worth
    highest = math.inf if predicts.ceiling is None else predicts.ceiling - predicts.worth
    if interval.high < lowest or interval.low > highest or _excluded(interval, predicts):
        return Outcome.FAILS
    enough = predicts.beyond(interval.estimate) >= predicts.worth
    return Outcome.HOLDS if enough and within(interval, predicts) else Outcome.UNDECIDED


def within(interval: Interval, predicts: Average) -> bool:
    """Whether both bounds lie within the limits. The average is then as claimed, though it may be below `worth`."""
    return _within(predicts, interval.low, below=True) and _within(predicts, interval.high, below=False)


def _within(limits: Bounds, bound: float, *, below: bool) -> bool:
    """Whether a bound on the average lies on the claimed side of its limit: lower limits if `below`, else upper ones."""
    if below:
        return (limits.above is None or bound > limits.above) and (limits.at_least is None or bound >= limits.at_least)
    return (limits.below is None or bound < limits.below) and (limits.at_most is None or bound <= limits.at_most)


def _excluded(interval: Interval, predicts: Average) -> bool:
    """Whether the interval is a single value at an excluded limit, such as 0 in every seed for "above 0"."""
    return interval.low == interval.high and not predicts.held(interval.low)
