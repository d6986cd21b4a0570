"""Rank correlation."""

import numpy as np

from spikecheck.core.run import Array


def spearman(a: Array, b: Array) -> float:
    """Spearman's rank correlation of two [T] series, in [-1, 1]; ties share their mean rank.

    A constant series orders nothing, so it is associated with nothing: 0.

    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([9.0, 4.0, 1.0]))
    -1.0
    """
    ranks_a, ranks_b = _ranks(a), _ranks(b)
    if np.ptp(ranks_a) == 0 or np.ptp(ranks_b) == 0:
        return 0.0
    return float(np.clip(np.corrcoef(ranks_a, ranks_b)[0, 1], -1.0, 1.0).round(12))


def _ranks(values: Array) -> Array:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]
