"""The detector's thresholds and estimators. docs/explanation/noisy-losses.md derives them."""

import math
from math import comb

import numpy as np

WINDOW = 128
"""Losses from which level and spread are computed."""
LASTING = (3, 6, 12, 24)
"""Lengths of an excursion that are tested, in losses."""
HISTORY = 4096
"""Steps for which heights are remembered."""
LASTING_RATE, HIGH_RATE = 1.5e-5, 3e-5
"""False alarms a step: for each of the four lengths, and for a single high loss. Together 9e-5."""
_TAIL, _TOP = 2.5, 32
"""Smallest tail index, that is the heaviest tail, and number of largest heights from which it is estimated."""
LONGEST_MEMORY = 32
"""Largest stride with which losses are thinned."""


def highest_rank(length: int, window: int = WINDOW, rate: float = LASTING_RATE) -> int | None:
    """The largest k such that `length` new losses all above the (k+1)-th largest of a window are rarer than `rate`.

    Exact for exchangeable losses of any continuous distribution: C(k + m, m) / C(W + m, m). None if even k = 0 is
    more frequent.

    >>> [highest_rank(length) for length in (2, 3, 6, 12, 24)]
    [None, 1, 17, 46, 76]
    """
    allowed = [k for k in range(window) if comb(k + length, length) / comb(window + length, length) <= rate]
    return allowed[-1] if allowed else None


RANKS = {length: rank for length in LASTING if (rank := highest_rank(length)) is not None}
"""For each length, the number of the window's losses that may be larger than the excursion's smallest."""


def record_factor(past: int, tail: float) -> float:
    """Factor above the largest past height that a height exceeds with probability `HIGH_RATE`.

    It is (1 / (rate (n + 1)))^(1 / tail), and at least 1, for heights with a power-law tail.

    Args:
        past: number n of past heights.
        tail: index of the power law, at least 1.
    """
    return max(1.0, math.pow(1.0 / (HIGH_RATE * (past + 1)), 1.0 / tail))


def tail_index(heights: np.ndarray) -> float:
    """Hill's estimate of the tail index from heights [n], minus two standard errors, and at least 2.5."""
    if len(heights) <= _TOP:
        return _TAIL
    top = np.partition(heights, -_TOP - 1)[-_TOP - 1 :]
    base = top.min()
    if base <= 0.0:
        return _TAIL
    mean = float(np.log(top / base).sum()) / _TOP
    return max(_TAIL, (1.0 - 2.0 / math.sqrt(_TOP)) / mean) if mean > 0.0 else _TAIL


def memory(losses: np.ndarray) -> int:
    """Steps after which losses [n] are about independent: (1 + r) / (1 - r), with r the correlation of neighbours.

    r is computed from robust spreads of losses and of differences, so that a spike has no influence: 1 - r = (spread of
    differences / spread)^2 / 2.
    """
    if len(losses) < WINDOW:
        return 1
    spread, jump = (median(np.abs(x - median(x))) for x in (losses, np.diff(losses)))
    if spread <= 0.0 or jump <= 0.0:
        return 1
    independent = min(1.0, (jump / spread) ** 2 / 2.0)
    return min(LONGEST_MEMORY, round((2.0 - independent) / max(independent, 1e-6)))


def median(numbers: np.ndarray) -> float:
    """The median; like NumPy's, in a third of its time."""
    middle = len(numbers) // 2
    halves = np.partition(numbers, (max(middle - 1, 0), middle))
    return float(halves[middle]) if len(numbers) % 2 else float(halves[middle - 1] + halves[middle]) / 2.0
