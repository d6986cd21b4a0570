"""Holm's method: p-values of several tests, adjusted for their number."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that rejecting all at or below alpha makes any false rejection with probability at most alpha.

    Source: Holm (1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return [round(p, 12) for p in adjusted]


def levels(p_values: Sequence[float], alpha: float) -> list[float]:
    """The level at which Holm's method tested each p-value: its own step if rejected, else the step where the method stopped.

    An interval at that level excludes the limit exactly where the test rejects it.

    >>> levels([0.01, 0.04, 0.03], 0.05)
    [0.016666666666666666, 0.025, 0.025]
    """
    by_place = [alpha] * len(p_values)
    level = alpha
    stopped = False
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if not stopped:
            level = alpha / (len(p_values) - rank)
            stopped = p_values[place] > level
        by_place[place] = level
    return by_place
