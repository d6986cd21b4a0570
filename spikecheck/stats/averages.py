"""Intervals for averages over seeds: the median by order statistics, the mean by Student's t."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, stdtrit

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate and two one-sided bounds; a bound that so few values don't allow is infinite."""

    estimate: float
    low: float
    high: float


def median_interval(values: Values, alpha: float) -> Interval:
    """The median of [S] values, S at least 1, and bounds each missed with probability at most `alpha`, whatever the values' law.

    The k-th smallest value lies above the median with probability P(Bin(S, 1/2) < k): the largest k for which this is at
    most alpha gives the lower bound, the k-th largest the upper one. Source: David & Nagaraja, Order Statistics, 7.1.

    >>> median_interval(np.arange(14.0), 0.05)
    Interval(estimate=6.5, low=3.0, high=10.0)
    """
    ordered = np.sort(values)
    estimate = float(np.median(ordered))
    chances = bdtr(np.arange(len(ordered)), len(ordered), 0.5)
    rank = int(np.searchsorted(chances, alpha, side="right"))  # how many ranks k = 1, 2, … are low enough
    if rank == 0:
        return Interval(estimate, -np.inf, np.inf)
    return Interval(estimate, float(ordered[rank - 1]), float(ordered[-rank]))


def mean_interval(values: Values, alpha: float) -> Interval:
    """The mean of [S] values, S at least 1, and Student's bounds, each missed with probability about `alpha`.

    Exact for normal values. `spikecheck selftest` measures what it errs on skewed ones.

    >>> mean_interval(np.array([1.0, 1.0, 1.0]), 0.05)
    Interval(estimate=1.0, low=1.0, high=1.0)
    """
    estimate, count = float(values.mean()), len(values)
    if count < 2:
        return Interval(estimate, -np.inf, np.inf)
    reach = float(stdtrit(count - 1, 1.0 - alpha) * values.std(ddof=1) / np.sqrt(count))
    return Interval(estimate, estimate - reach, estimate + reach)
