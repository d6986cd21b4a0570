"""Intervals for effects by resampling seeds."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

_RESAMPLES = 2_000


def median_interval(values: NDArray[np.float64], level: float) -> tuple[float, float, float]:
    """The median of [S] values and its percentile bootstrap interval at confidence `level`; the same on every call.

    Fewer than three values, or values all alike, have no spread to resample: the interval is their range.

    >>> median_interval(np.full(8, 0.25), 0.95)
    (0.25, 0.25, 0.25)
    """
    median, least, most = float(np.median(values)), float(values.min()), float(values.max())
    if len(values) < 3 or least == most:
        return median, least, most
    interval = bootstrap(
        (values,),
        np.median,
        n_resamples=_RESAMPLES,
        confidence_level=level,
        method="percentile",
        rng=0,
        vectorized=True,
    ).confidence_interval
    return median, float(interval.low), float(interval.high)
