"""Two optimizers on the same settings and seeds: the mean of their paired differences, its bounds and its p-values.

The settings of a gate are chosen, not drawn, so nothing is inferred about others: seeds are the replicates. Every setting
weighs the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import nctdtrinc

from spikecheck.stats.averages import Mean, Values

POWER = 0.8
"""Probability with which a detectable difference is found."""
_SAMPLES = 1_000


@dataclass(frozen=True)
class Difference:
    """Candidate less reference, averaged over a setting's seeds and then over settings.

    Bounds and p-values are those of `Mean`. Differences that are all one number have no spread that tells anything: then so
    many agreeing pairs are so many coins, and nothing is sure to more than 1 in 2 to the power of their number.
    """

    average: Mean
    pairs: int
    coins: int | None
    """Pairs that agree where the differences don't vary; None where they do."""

    @classmethod
    def of(cls, blocks: Sequence[Values]) -> Self:
        """Paired differences by setting, each [S] with a size of its own, at least 1.

        >>> Difference.of([np.full(6, 0.5), np.full(6, 1.5)]).mean
        1.0
        """
        pairs = sum(len(block) for block in blocks)
        average = Mean.of(blocks)
        if average.error > 0.0 and np.isfinite(average.error):
            return cls(average, pairs, None)
        constants = {float(block[0]) for block in blocks}
        alike = all(np.ptp(block) == 0.0 for block in blocks)
        fewest = pairs if len(constants) == 1 else min(len(block) for block in blocks)
        return cls(average, pairs, fewest if alike and fewest > 1 else None)

    @property
    def mean(self) -> float:
        """The estimate."""
        return self.average.estimate

    def low(self, alpha: float) -> float:
        """A one-sided lower bound, minus infinity where so few pairs allow none."""
        if self.coins is not None:
            return self.mean if 0.5**self.coins <= alpha else -np.inf
        return self.average.low(alpha)

    def high(self, alpha: float) -> float:
        """A one-sided upper bound, infinity where so few pairs allow none."""
        if self.coins is not None:
            return self.mean if 0.5**self.coins <= alpha else np.inf
        return self.average.high(alpha)

    def p_above(self, margin: float) -> float:
        """That the true difference is no larger than `margin`."""
        if self.coins is not None:
            return 0.5**self.coins if self.mean > margin else 1.0
        return self.average.p_above(margin)

    def p_below(self, margin: float) -> float:
        """That the true difference is no smaller than `margin`."""
        if self.coins is not None:
            return 0.5**self.coins if self.mean < margin else 1.0
        return self.average.p_below(margin)

    def detectable(self, margin: float, alpha: float) -> float:
        """About the true difference that a test of `margin` at `alpha` finds with probability `POWER`, at this spread.

        Infinite where so few pairs show nothing.
        """
        if self.coins is not None:
            return margin if 0.5**self.coins <= alpha else np.inf
        if self.average.freedom == 0.0:
            return np.inf
        average = self.average
        if average.error == 0.0:
            return margin
        needed = (self.mean - average.low(alpha)) / average.error
        return margin + average.error * _noncentrality(average.freedom, needed)


def detectable_in_spreads(seeds: int, settings: int, alpha: float) -> float:
    """The difference beyond the margin that is found with probability `POWER`, in standard deviations of a pair's difference.

    Measured on samples of normal differences, alike in all settings, with at least 2 seeds in each.
    """
    generator = np.random.default_rng(0)
    samples = [generator.standard_normal((settings, seeds)) for _ in range(_SAMPLES)]
    return float(np.quantile([-Difference.of(list(sample)).low(alpha) for sample in samples], POWER))


def _noncentrality(freedom: float, needed: float) -> float:
    """How many standard errors away the truth must lie for Student's statistic to exceed `needed` with probability POWER."""
    return float(nctdtrinc(freedom, 1 - POWER, needed))
