"""What is counted on weights and losses, once more by loops that say the definition and nothing else."""

import math
from collections.abc import Sequence

from tests.second.network import Numbers


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of the angle between two vectors."""
    return math.fsum(p * q for p, q in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


def mean_cosine(rows: Numbers) -> float:
    """Mean |cos| over all pairs of different rows."""
    seen = [abs(cosine(rows[i], rows[j])) for i in range(len(rows)) for j in range(i)]
    return math.fsum(seen) / len(seen)


def directions(rows: Numbers, above: float = 0.95) -> int:
    """How many directions the rows fall into: each is the first that is left, with all whose cosine to it is above `above`."""
    left, found = list(range(len(rows))), 0
    while left:
        leader = left[0]
        left = [row for row in left[1:] if not cosine(rows[leader], rows[row]) > above]
        found += 1
    return found


def onset(losses: Numbers, factor: float) -> int | None:
    """The first step whose loss exceeds `factor` times the smallest before it."""
    lowest = losses[0]
    for step, loss in enumerate(losses):
        if loss > factor * lowest:
            return step
        lowest = min(lowest, loss)
    return None
