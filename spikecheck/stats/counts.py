"""Observed rates compared with promised ones."""

from dataclasses import dataclass

from spikecheck.stats.bounds import clopper_pearson

_SURE = 0.001
"""Largest probability with which a kept promise is reported as broken."""


@dataclass(frozen=True)
class Count:
    """One line of a self-test.

    `low` and `high` are a two-sided 95 % interval for the rate `times / rounds`. `promised` is the largest rate allowed, None
    where the rate is only reported. `broken` is true where a process that keeps the promise would reach this count with
    probability 1/1000 or less.
    """

    world: str
    seen: str
    times: int
    rounds: int
    low: float
    high: float
    promised: float | None = None
    broken: bool = False


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
