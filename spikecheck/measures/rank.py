"""Rank correlation."""

import numpy as np

from spikecheck.core.run import Array


def spearman(a: Array, b: Array) -> float:
    """Spearman's rank correlation of two [T] series, in [-1, 1]; ties share their mean rank.

    Pearson's correlation of the ranks. A constant series orders nothing, so it is associated with nothing: 0.

    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([9.0, 4.0, 1.0]))
    -1.0
    """
    if len(np.unique(a)) < 2 or len(np.unique(b)) < 2:
        return 0.0
    return float(np.clip(np.corrcoef(_ranks(a), _ranks(b))[0, 1], -1.0, 1.0).round(12))


def _ranks(values: Array) -> Array:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]
