"""The detector's thresholds and estimators. docs/explanation/noisy-losses.md derives them."""

import math
from functools import cache
from math import comb

import numpy as np

WINDOW = 128
"""Losses from which level and spread are computed."""
_FEWEST = 32
"""Losses from which level and spread may be computed at the start of a training: a spread then errs by a fifth."""
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
NORMAL = 1.4826
"""Ratio of standard deviation to median absolute deviation for Gaussian noise: 1 / 0.6745."""
_LEAST_RISE = 1.0
"""Of the mean of an excursion above the level, in spreads: less is what an ordinary loss does."""
_ROUNDING = 4.0 * 2.0**-23
"""Relative error of a loss, a sum in single precision: the least spread that a level can have."""


@cache
def highest_rank(length: int, window: int = WINDOW, rate: float = LASTING_RATE) -> int | None:
    """The largest k such that `length` new losses all above the (k+1)-th largest of a window are rarer than `rate`.

    Exact for exchangeable losses of any continuous distribution: C(k + m, m) / C(W + m, m). None if even k = 0 is
    more frequent.

    >>> [highest_rank(length) for length in (2, 3, 6, 12, 24)]
    [None, 1, 17, 46, 76]
    """
    allowed = [k for k in range(window) if comb(k + length, length) / comb(window + length, length) <= rate]
    return allowed[-1] if allowed else None


def lasts(run: np.ndarray, window: np.ndarray) -> bool:
    """Whether a run of losses [m] ranks higher against the window before it than is likely by chance, and rises.

    A window shorter than `WINDOW` needs a higher rank, and has none where it is too short for the run's length.
    """
    rank = highest_rank(len(run), len(window)) if len(window) >= _FEWEST else None
    if rank is None:
        return False
    above = np.count_nonzero(window >= run.min())  # at most k where all of the run exceed the (k+1)-th largest
    return bool(above <= rank) and rises(run, window)


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


def level_and_spread(losses: np.ndarray) -> tuple[float, float]:
    """Median and robust standard deviation of losses [n], n at least 1."""
    level = median(losses)
    return level, NORMAL * median(np.abs(losses - level))


def rises(run: np.ndarray, window: np.ndarray) -> bool:
    """Whether the mean of a run of losses [m] lies as far above a window's median as one ordinary loss does.

    >>> rises(np.full(24, 2.01), np.linspace(1.0, 3.0, 128)), rises(np.full(24, 2.9), np.linspace(1.0, 3.0, 128))
    (False, True)
    """
    level, spread = level_and_spread(window)
    return bool(run.mean() - level >= _LEAST_RISE * max(spread, _ROUNDING * abs(level)))


def memory(losses: np.ndarray) -> int:
    """Steps after which losses [n] are about independent: (1 + r) / (1 - r), with r the correlation of neighbours.

    Second differences of neighbours have a variance (1 - r)(6 - 2r) / 6 times that of second differences over the longest
    memory. The spreads are robust, so that a spike has no influence. Nor has a slope that changes slowly: it moves all
    second differences alike. Nor has the noise's distribution, since both are made of it in the same way. Losses that are
    written down again until there is a new one, so that most neighbours are equal, have the longest memory.
    """
    if len(losses) < WINDOW:
        return 1
    near, far = (level_and_spread(_second_differences(losses, over))[1] for over in (1, LONGEST_MEMORY))
    rounding = _ROUNDING * abs(median(losses))
    if far <= rounding or (near <= rounding and not _written_again(losses)):
        return 1
    independent = min(1.0, math.sqrt(1.0 + 3.0 * (near / far) ** 2) - 1.0)
    return min(LONGEST_MEMORY, round((2.0 - independent) / max(independent, 1e-6)))


def _written_again(losses: np.ndarray) -> bool:
    """Whether most losses are the one before. Losses that rise evenly have no second differences either, and are not."""
    return bool(np.mean(losses[1:] == losses[:-1]) > 0.5)


def _second_differences(losses: np.ndarray, over: int) -> np.ndarray:
    differences = losses[over:] - losses[:-over]
    second: np.ndarray = differences[over:] - differences[:-over]
    return second


def median(numbers: np.ndarray) -> float:
    """The median; like NumPy's, in a third of its time."""
    middle = len(numbers) // 2
    halves = np.partition(numbers, (max(middle - 1, 0), middle))
    return float(halves[middle]) if len(numbers) % 2 else float(halves[middle - 1] + halves[middle]) / 2.0
