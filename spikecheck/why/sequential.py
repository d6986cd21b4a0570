"""How many forks an arm needs: Wald's sequential test of a share of forks, 20 % against 80 %."""

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


def p_value(hits: Sequence[bool]) -> float:
    """Bound on the p-value of "at most 20 % of forks", valid whenever one stops: the inverse likelihood ratio (Ville).

    >>> p_value([True, True, True]) == 4.0**-3
    True
    """
    net = sum(1 if hit else -1 for hit in hits)
    return min(1.0, (MANY / FEW) ** -net)


def wants_more(hits: Sequence[bool], claimed: bool) -> bool:
    """Whether another fork of this arm is worth its time: undecided, or decided for "removes" and not yet claimed."""
    if len(hits) < FEWEST:
        return True
    effect = decided(hits)
    open_claim = effect is Effect.REMOVES and not claimed
    return len(hits) < MOST and (effect is Effect.UNDECIDED or open_claim)
