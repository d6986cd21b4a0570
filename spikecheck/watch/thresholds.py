"""Thresholds of the detector and what they are read off: docs/explanation/noisy-losses.md derives them."""

import math
from math import comb

import numpy as np

WINDOW = 128
"""Losses that level and spread are taken from."""
LASTING = (3, 6, 12, 24)
"""Lengths of an excursion that are tried."""
HISTORY = 4096
"""Steps that heights are remembered for."""
LASTING_RATE, HIGH_RATE = 1.5e-5, 3e-5
"""False alarms a step: of each length, and of the rule for a single high loss. Together 9e-5."""
_TAIL, _TOP = 2.5, 32
"""The heaviest tail reckoned with, and how many of the largest heights its index is estimated from."""
LONGEST_MEMORY = 32
"""Largest stride that losses are thinned with."""


def highest_rank(length: int, window: int = WINDOW, rate: float = LASTING_RATE) -> int | None:
    """The largest k such that `length` new losses all above the (k+1)-th largest of a window are rarer than `rate`.

    Exact for exchangeable losses of any continuous distribution: C(k + m, m) / C(W + m, m). None where even k = 0 is
    too frequent.

    >>> [highest_rank(length) for length in (2, 3, 6, 12, 24)]
    [None, 1, 17, 46, 76]
    """
    allowed = [k for k in range(window) if comb(k + length, length) / comb(window + length, length) <= rate]
    return allowed[-1] if allowed else None


RANKS = {length: rank for length in LASTING if (rank := highest_rank(length)) is not None}
"""For each length, how many of the window's largest losses the excursion may leave above it."""


def record_factor(past: int, tail: float) -> float:
    """How far above the largest of `past` heights the next must lie, so that it does in `HIGH_RATE` of the steps.

    `tail` is the index of a power law, at least 1. (1 / (rate (n + 1)))^(1 / tail), and never below 1.
    """
    return max(1.0, math.pow(1.0 / (HIGH_RATE * (past + 1)), 1.0 / tail))


def tail_index(heights: np.ndarray) -> float:
    """Hill's estimate from the largest heights [n], less two standard errors; at least the heaviest tail reckoned
    with."""
    if len(heights) <= _TOP:
        return _TAIL
    top = np.partition(heights, -_TOP - 1)[-_TOP - 1 :]
    base = top.min()
    if base <= 0.0:
        return _TAIL
    mean = float(np.log(top / base).sum()) / _TOP
    return max(_TAIL, (1.0 - 2.0 / math.sqrt(_TOP)) / mean) if mean > 0.0 else _TAIL


def memory(losses: np.ndarray) -> int:
    """Steps after which neighbouring losses [n] are about independent: (1 + r) / (1 - r), with r their correlation.

    r comes from robust spreads of losses and differences, so that a spike does not count: 1 - r = (spread of
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
    """NumPy's, in a third of its time."""
    middle = len(numbers) // 2
    halves = np.partition(numbers, (max(middle - 1, 0), middle))
    return float(halves[middle]) if len(numbers) % 2 else float(halves[middle - 1] + halves[middle]) / 2.0
