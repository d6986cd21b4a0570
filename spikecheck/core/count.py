"""How often the self-test observed an event, and how often it may occur."""

from dataclasses import dataclass


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
