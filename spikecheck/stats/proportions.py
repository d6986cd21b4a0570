"""Shares of the candidate's and of the reference's trainings: an exact test, and bounds for their difference.

The test is for independent trainings. Both trainings of a pair start from the same weights and so agree more often than
independent ones: the test is then conservative. It is also conservative where settings or seeds differ in their chance of
a spike.
"""

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import betaincinv
from scipy.stats import binomtest, boschloo_exact, fisher_exact

from spikecheck.stats.paired import POWER

_MANY = 200
"""Trainings a side beyond which Fisher's exact test is used. Its p-value is never smaller than Boschloo's: there a quarter
larger where that is 0.001 or more, and more in the far tail. Boschloo's takes 0.3 s for 256 trainings, and seven times as long
for 512."""


@dataclass(frozen=True)
class Counts:
    """Events in `own` of the candidate's `of` trainings, and in `other` of the reference's `of` trainings."""

    own: int
    other: int
    of: int

    @property
    def mean(self) -> float:
        """Difference of the two shares."""
        return (self.own - self.other) / self.of

    def p_above(self, margin: float = 0.0) -> float:
        """p-value of the hypothesis that the candidate's share is no larger, by Boschloo's exact test (1970).

        Beyond 200 trainings a side it is Fisher's, which is conservative. It is 1 where the observed difference is at most
        `margin`.

        >>> round(Counts(4, 0, 4).p_above(), 6)   # 1 in 256
        0.003906
        """
        return _p_value(self.own, self.other, self.of) if self.mean > margin else 1.0

    def p_below(self, margin: float = 0.0) -> float:
        """p-value of the hypothesis that the candidate's share is no smaller; 1 where the difference is at least `margin`."""
        return _p_value(self.other, self.own, self.of) if self.mean < margin else 1.0

    def low(self, alpha: float) -> float:
        """A one-sided lower bound for the difference: Newcombe's (1998), from Wilson's bounds for the shares.

        Where it disagrees with the exact test at `alpha` about the sign, it is moved to 0.
        """
        bound = self.mean - self._reach(self.own, self.other, alpha)
        return max(bound, 0.0) if self.p_above() <= alpha else min(bound, 0.0)

    def high(self, alpha: float) -> float:
        """A one-sided upper bound for the difference, by the method of `low`."""
        bound = self.mean + self._reach(self.other, self.own, alpha)
        return min(bound, 0.0) if self.p_below() <= alpha else max(bound, 0.0)

    def detectable(self, margin: float, alpha: float) -> float:
        """The difference from the reference's share that the test finds at `alpha` with probability `POWER`.

        At least `margin`; infinite where no difference would be found.
        """
        more = range(self.other + 1, self.of + 1)
        place = bisect_left(more, True, key=lambda own: _p_value(own, self.other, self.of) <= alpha)
        if place == len(more):
            return np.inf
        share = float(betaincinv(more[place], self.of - more[place] + 1, POWER))  # P(own >= more[place]) is POWER there
        return max(margin, share - self.other / self.of)

    def _reach(self, larger: int, smaller: int, alpha: float) -> float:
        below = larger / self.of - _wilson(larger, self.of, alpha)[0]
        above = _wilson(smaller, self.of, alpha)[1] - smaller / self.of
        return float(np.hypot(below, above))


@lru_cache(maxsize=65_536)
def _p_value(larger: int, smaller: int, of: int) -> float:
    table = np.array([[larger, smaller], [of - larger, of - smaller]])
    exact = boschloo_exact if of <= _MANY else fisher_exact
    return float(exact(table, alternative="greater").pvalue)


@lru_cache(maxsize=65_536)
def _wilson(times: int, of: int, alpha: float) -> tuple[float, float]:
    interval = binomtest(times, of).proportion_ci(1 - 2 * alpha, method="wilson")
    return float(interval.low), float(interval.high)
