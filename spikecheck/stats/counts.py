"""Observed rates compared with promised ones."""

from spikecheck.core.count import Count
from spikecheck.stats.bounds import clopper_pearson

_SURE = 0.001
"""Largest probability with which a kept promise is reported as broken."""


def counted(world: str, seen: str, times: int, rounds: int, promised: float | None = None) -> Count:
    """A count with its 95 % interval, compared with the promised rate.

    >>> counted("fair", "heads", 60, 100, promised=0.5).broken
    False
    >>> counted("unfair", "heads", 70, 100, promised=0.5).broken
    True
    """
    low, high = clopper_pearson(times, rounds, 0.025)
    broken = promised is not None and clopper_pearson(times, rounds, _SURE)[0] > promised
    return Count(world, seen, times, rounds, low, high, promised, broken)
