"""How many forks an arm needs: Wald's sequential test of its share of forks, and a comparison with the placebo's forks."""

import math
from collections.abc import Sequence

from spikecheck.core.why import Effect

FEW, MANY = 0.2, 0.8
"""Shares of forks between which the test decides."""
ERROR = 0.05
FEWEST, MOST = 3, 8
"""Forks of an arm."""
ALPHA = 0.05
"""Of all claims of one answer together, by Holm's correction."""
_ODDS = math.log(MANY / FEW)
"""What each fork adds to the log of the likelihood ratio; (1 - 20 %) / (1 - 80 %) has the same logarithm."""
NET = math.ceil(math.log((1.0 - ERROR) / ERROR) / _ODDS)
"""Forks with, less forks without, that decide: 3, since ln 19 / ln 4 = 2.1."""

ALTERNATIVE = 0.9
"""Share of an arm's forks without the spike, and of the placebo's with it, for which evidence grows fastest. With 0.9, five
pairs that all agree are enough for Holm's correction over up to 17 arms; with 0.8 over up to 5; with 0.99 over up to 45, but
one fork that disagrees would undo five that agree."""
_FOR, _AGAINST = ALTERNATIVE / 0.5, (1.0 - ALTERNATIVE) / 0.5
"""Likelihood ratios of one fork: under the null hypothesis that is closest, both shares are a half."""


def decided(hits: Sequence[bool]) -> Effect:
    """What the forks, in the order of their numbers, decide; forks after the decision don't count.

    >>> decided([True, True, True]), decided([True, False, True])
    (<Effect.REMOVES: 'removes it'>, <Effect.UNDECIDED: 'not decided'>)
    """
    net = 0
    for hit in hits[:MOST]:
        net += 1 if hit else -1
        if abs(net) >= NET:
            return Effect.REMOVES if net > 0 else Effect.LEAVES
    return Effect.UNDECIDED


def p_value(hits: Sequence[bool], placebo: Sequence[bool]) -> float:
    """Bound on the p-value of "this arm removes the spike no more often than the placebo does", valid whenever one stops.

    Forks of the same number are compared: each pair multiplies an E-variable for two streams of Bernoulli trials (Turner, Ly
    and Grünwald, 2024, doi:10.1016/j.jspi.2023.106116; their blocks have one fork of each here), and its inverse bounds the
    p-value (Ville).

    Args:
        hits: Whether the spike is gone in the arm's forks, by number.
        placebo: The same of the placebo's forks. The longer of the two is cut.

    >>> round(1 / p_value([True] * 5, [False] * 5))
    357
    >>> p_value([True], [True])
    1.0
    """
    pairs = zip(hits, placebo, strict=False)
    evidence = math.prod(_FOR if agrees else _AGAINST for gone, also in pairs for agrees in (gone, not also))
    return min(1.0, 1.0 / evidence)


def wants_more(hits: Sequence[bool], claimed: bool) -> bool:
    """Whether another fork of this arm is worth its time: undecided, or decided for "removes" and not yet claimed."""
    if len(hits) < FEWEST:
        return True
    effect = decided(hits)
    open_claim = effect is Effect.REMOVES and not claimed
    return len(hits) < MOST and (effect is Effect.UNDECIDED or open_claim)
