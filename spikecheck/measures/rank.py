"""Rank correlations and concordance."""

import math

import numpy as np

from spikecheck.core.run import Array


def spearman(a: Array, b: Array) -> float:
    """Spearman's rank correlation of two [T] series, in [-1, 1]: Pearson's correlation of their ranks.

    Ties share their mean rank. The correlation is 0 where a series is constant.

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


def partial_spearman(a: Array, b: Array, given: Array) -> float:
    """Partial Spearman correlation of two [T] series, given a third [T] series: in [-1, 1].

    It is Pearson's correlation of the residuals of both series' ranks after linear regression on the third's ranks. Given the
    step number, it is the correlation without a common trend. It is 0 where a series has no residual.

    >>> steps = np.arange(6.0)
    >>> partial_spearman(steps + 10, 2 * steps, given=steps)
    0.0
    """
    time = _ranks(given) - _ranks(given).mean()
    left = []
    for series in (a, b):
        ranks = _ranks(series) - _ranks(series).mean()
        slope = (ranks @ time) / (time @ time) if time.any() else 0.0
        left.append(ranks - slope * time)
    sizes = [float(np.linalg.norm(rest)) for rest in left]
    if min(sizes) <= 1e-9 * len(a):
        return 0.0
    return float(np.clip(left[0] @ left[1] / (sizes[0] * sizes[1]), -1.0, 1.0).round(12))


def concordance(predictor: Array, outcome: Array, apart: float) -> float:
    """Share of pairs in which the smaller predictor goes with the smaller outcome, in [0, 1]: an AUC over pairs.

    `predictor` and `outcome` are [N]; outcomes are above 0. A pair counts if its outcomes differ at least by the factor
    `apart`; equal predictors count as a half. NaN where no pair counts.

    >>> concordance(np.array([1.0, 2.0, 3.0]), np.array([1.0, 100.0, 10.0]), apart=2.0)
    0.6666666666666666
    """
    rows, columns = np.triu_indices(len(outcome), k=1)
    far = np.log(outcome[columns] / outcome[rows])
    counted = np.abs(far) >= math.log(apart)
    if not counted.any():
        return float("nan")
    agree = np.sign(far) * np.sign(predictor[columns] - predictor[rows])
    return float(((agree[counted] + 1) / 2).mean())
