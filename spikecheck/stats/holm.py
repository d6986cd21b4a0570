"""Many tests at once: p-values adjusted for their number."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted so that all at or below alpha together are wrong with probability alpha at most (Holm 1979).

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
    """The error at which each p-value was tested: those rejected at their own step, the rest where Holm's method stopped.

    An interval at that error leaves out the limit exactly where the test rejects it.

    >>> levels([0.01, 0.04, 0.03], 0.05)
    [0.016666666666666666, 0.025, 0.025]
    """
    found = [alpha] * len(p_values)
    level = alpha
    stopped = False
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if not stopped:
            level = alpha / (len(p_values) - rank)
            stopped = p_values[place] > level
        found[place] = level
    return found
