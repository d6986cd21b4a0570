"""How often something was seen in so many rounds, and how often it may be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Count:
    """One line of a self-test.

    `low` and `high` are a two-sided interval of 95 % for the rate; `promised` is the most it may be, None for what is merely
    told; `broken` where so many times would come of a kept promise in one case of a thousand or less.
    """

    world: str
    seen: str
    times: int
    rounds: int
    low: float
    high: float
    promised: float | None = None
    broken: bool = False
