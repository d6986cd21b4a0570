"""Two optimizers on the same settings and seeds: the mean of their paired differences, its bounds and its p-values.

The settings of a gate are chosen, not drawn at random, so nothing is inferred about other settings: seeds are the
replicates. Every setting has the same weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from scipy.special import nctdtrinc

from spikecheck.stats.averages import Mean, Values

POWER = 0.8
"""Probability with which a test finds a detectable difference."""
_SAMPLES = 1_000
_MANY = 1_000
"""Seeds beyond which Student's t is normal to a thousandth, so that a detectable difference shrinks as one over their root."""


@dataclass(frozen=True)
class Difference:
    """Candidate minus reference, averaged over a setting's seeds and then over settings.

    Bounds and p-values are those of `Mean`. Where all differences are the same number, their spread is 0 and carries no
    information. The pairs then count as coin flips that agree: n pairs give a p-value of 1/2^n and none below.
    """

    average: Mean
    pairs: int
    coins: int | None
    """Number of pairs that agree, where the differences do not vary measurably; None where they vary."""

    @classmethod
    def of(cls, blocks: Sequence[Values]) -> Self:
        """The average of paired differences, one array [S] a setting, each with its own S, at least 1.

        >>> Difference.of([np.full(6, 0.5), np.full(6, 1.5)]).mean
        1.0
        """
        pairs = sum(len(block) for block in blocks)
        average = Mean.of(blocks)
        constants = {float(block[0]) for block in blocks}
        # Squares of differences below 1e-162 are 0, and so is their spread.
        alike = average.error == 0.0 or all(np.ptp(block) == 0.0 for block in blocks)
        fewest = pairs if len(constants) == 1 else min(len(block) for block in blocks)
        return cls(average, pairs, fewest if alike and fewest > 1 else None)

    @property
    def mean(self) -> float:
        """The estimate."""
        return self.average.estimate

    def low(self, alpha: float) -> float:
        """A one-sided lower bound at level `alpha`; minus infinity where there are too few pairs."""
        if self.coins is not None:
            return self.mean if 0.5**self.coins <= alpha else -np.inf
        return self.average.low(alpha)

    def high(self, alpha: float) -> float:
        """A one-sided upper bound at level `alpha`; infinity where there are too few pairs."""
        if self.coins is not None:
            return self.mean if 0.5**self.coins <= alpha else np.inf
        return self.average.high(alpha)

    def p_above(self, margin: float) -> float:
        """p-value of the hypothesis that the true difference is at most `margin`."""
        if self.coins is not None:
            return 0.5**self.coins if self.mean > margin else 1.0
        return self.average.p_above(margin)

    def p_below(self, margin: float) -> float:
        """p-value of the hypothesis that the true difference is at least `margin`."""
        if self.coins is not None:
            return 0.5**self.coins if self.mean < margin else 1.0
        return self.average.p_below(margin)

    def detectable(self, margin: float, alpha: float) -> float:
        """Approximate true difference that a test of `margin` at `alpha` finds with probability `POWER`, at this spread.

        Infinite where there are too few pairs to find any difference.
        """
        if self.coins is not None:
            return margin if 0.5**self.coins <= alpha else np.inf
        if self.average.freedom == 0.0:
            return np.inf
        average = self.average
        needed = (self.mean - average.low(alpha)) / average.error
        return margin + average.error * _noncentrality(average.freedom, needed)


@lru_cache
def detectable_in_spreads(seeds: int, settings: int, alpha: float) -> float:
    """The detectable difference beyond the margin, in standard deviations of a pair's difference.

    It is found with probability `POWER` at level `alpha`. Estimated from random samples of normal differences with the same
    law in all settings, and at least 2 seeds in each.
    """
    drawn = min(seeds, _MANY)
    generator = np.random.default_rng(0)
    samples = (generator.standard_normal((settings, drawn)) for _ in range(_SAMPLES))
    at_drawn = np.quantile([-Difference.of(list(sample)).low(alpha) for sample in samples], POWER)
    return float(at_drawn * np.sqrt(drawn / seeds))


def _noncentrality(freedom: float, needed: float) -> float:
    """The true difference, in standard errors, at which Student's statistic exceeds `needed` with probability POWER."""
    return float(nctdtrinc(freedom, 1 - POWER, needed))
