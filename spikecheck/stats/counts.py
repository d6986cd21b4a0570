"""Rates of what was seen, against what was promised."""

from spikecheck.core.count import Count
from spikecheck.stats.bounds import clopper_pearson

_SURE = 0.001
"""Probability with which a kept promise looks broken."""


def counted(world: str, seen: str, times: int, rounds: int, promised: float | None = None) -> Count:
    """A count with its interval, held to its promise.

    >>> counted("fair", "heads", 60, 100, promised=0.5).broken
    False
    >>> counted("unfair", "heads", 70, 100, promised=0.5).broken
    True
    """
    low, high = clopper_pearson(times, rounds, 0.025)
    broken = promised is not None and clopper_pearson(times, rounds, _SURE)[0] > promised
    return Count(world, seen, times, rounds, low, high, promised, broken)
