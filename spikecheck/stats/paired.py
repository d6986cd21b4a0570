"""Two optimizers on the same settings and seeds: differences, their intervals, and how sure it is that there is one.

The settings of a gate are chosen, not drawn, so nothing is inferred about others: seeds are the replicates. Every setting
weighs the same. Under the null hypothesis that the candidate is worse by the margin and no more, a pair's difference lies as
often above the margin as below it by as much.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test

Numbers = NDArray[np.float64]

RESAMPLES = 4_999
"""Sign flips, and bootstrap samples: a p-value is no smaller than 1 in 5,000, which fifty rows together still allow."""


@dataclass(frozen=True)
class Difference:
    """Candidate less reference, averaged over a setting's seeds and then over settings."""

    mean: float
    low: float
    high: float
    """A two-sided bootstrap interval, seeds resampled within every setting."""
    p_above: float
    p_below: float
    """One-sided sign-flip p-values: that the difference is not above the margin, and that it is not below minus the margin."""
    pairs: int


def compare(blocks: Sequence[Numbers], margin: float = 0.0, level: float = 0.95) -> Difference:
    """Paired differences by setting, each [S] with at least one seed; within `margin`, at least 0, they count as none.

    The same on every call.

    >>> compare([np.full(6, 0.5), np.full(6, 1.5)]).mean
    1.0
    """
    pairs = sum(len(block) for block in blocks)
    mean = float(np.mean([block.mean() for block in blocks]))
    if all(not block.any() for block in blocks):
        return Difference(0.0, 0.0, 0.0, 1.0, 1.0, pairs)
    generator = np.random.default_rng(0)
    means = np.zeros(RESAMPLES)
    for block in blocks:
        drawn = generator.integers(len(block), size=(RESAMPLES, len(block)))
        means += block[drawn].mean(axis=1) / len(blocks)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    above, below = (_weighted([block + shift for block in blocks]) for shift in (-margin, margin))
    return Difference(mean, float(low), float(high), _p(above, "greater"), _p(below, "less"), pairs)


def _weighted(blocks: Sequence[Numbers]) -> Numbers:
    """Every pair's part of the mean."""
    return np.concatenate([block / (len(block) * len(blocks)) for block in blocks])


def _p(weighted: Numbers, alternative: Literal["greater", "less"]) -> float:
    if len(weighted) < 2:  # one coin proves nothing
        return 1.0
    found = permutation_test(
        (weighted,),
        lambda values, axis: np.sum(values, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        alternative=alternative,
        rng=np.random.default_rng(1),
    )
    return float(found.pvalue)
