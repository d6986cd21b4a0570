"""Spikes in noisy losses: an excursion that lasts, or one that is high enough. docs/explanation/noisy-losses.md derives the thresholds."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from math import comb
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

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
_SETTLED, _NEW_LEVEL = 5, 512
"""Steps in a row below the window's largest loss that end a spike; steps after which it is a new level."""
_NORMAL = 1.4826
"""Standard deviation over median absolute deviation of Gaussian noise."""


@dataclass(frozen=True, slots=True)
class NoisySpike:
    """An excursion of a noisy loss; steps are those the losses were given with."""

    onset: int
    """First step of the excursion."""
    alarm: int
    """Step at which it was noticed."""
    peak: int
    height: float
    """Of the peak above the level, in spreads; infinite where a loss was not finite."""
    level: float
    spread: float
    loss: float
    """At the peak."""
    rule: Literal["lasting", "high", "not finite"]
    over: int | None = None
    """First step of the calm that ended it; None while it goes on, or where the loss stayed up."""


def highest_rank(length: int, window: int = WINDOW, rate: float = LASTING_RATE) -> int | None:
    """The largest k such that `length` new losses all above the (k+1)-th largest of a window are rarer than `rate`.

    Exact for exchangeable losses of any continuous distribution: C(k + m, m) / C(W + m, m). None where even k = 0 is too frequent.

    >>> [highest_rank(length) for length in (2, 3, 6, 12, 24)]
    [None, 1, 17, 46, 76]
    """
    allowed = [k for k in range(window) if comb(k + length, length) / comb(window + length, length) <= rate]
    return allowed[-1] if allowed else None


_RANKS = {length: rank for length in LASTING if (rank := highest_rank(length)) is not None}


def record_factor(past: int, tail: float) -> float:
    """How far above the largest of `past` heights the next must lie, so that it does in `HIGH_RATE` of the steps.

    `tail` is the index of a power law, at least 1. (1 / (rate (n + 1)))^(1 / tail), and never below 1.
    """
    return max(1.0, (1.0 / (HIGH_RATE * (past + 1))) ** (1.0 / tail))


@cache
def _standard_errors(top: int) -> float:
    return 1.0 - 2.0 / math.sqrt(top)


def tail_index(heights: np.ndarray) -> float:
    """Hill's estimate from the largest heights [n], less two standard errors; at least the heaviest tail reckoned with."""
    if len(heights) <= _TOP:
        return _TAIL
    top = np.partition(heights, -_TOP - 1)[-_TOP - 1 :]
    base = top.min()
    if base <= 0.0:
        return _TAIL
    mean = float(np.log(top / base).sum()) / _TOP
    return max(_TAIL, _standard_errors(_TOP) / mean) if mean > 0.0 else _TAIL


class _Tail:
    """The last `kept` numbers of a growing series, as a view."""

    def __init__(self, kept: int) -> None:
        self._kept, self._end = kept, 0
        self._numbers = np.empty(4 * kept)

    def __len__(self) -> int:
        return min(self._end, self._kept)

    def append(self, number: float) -> None:
        if self._end == len(self._numbers):
            self._numbers[: self._kept] = self.last(self._kept)
            self._end = self._kept
        self._numbers[self._end] = number
        self._end += 1

    def last(self, count: int) -> np.ndarray:
        return self._numbers[self._end - min(count, len(self)) : self._end]

    def drop(self, count: int) -> None:
        self._end -= min(count, len(self))


class Detector:
    """Reads losses one by one and says when one of them belongs to a spike.

    >>> rng = np.random.default_rng(0)
    >>> losses = rng.normal(2.0, 0.1, 600)
    >>> losses[500:510] += 1.0
    >>> detector = Detector()
    >>> for step, loss in enumerate(losses):
    ...     _ = detector.update(step, loss)
    >>> [(spike.onset, spike.over) for spike in detector.spikes]
    [(500, 510)]
    """

    def __init__(self) -> None:
        self.spikes: list[NoisySpike] = []
        """All so far; the last may still go on."""
        self._losses, self._steps = _Tail(WINDOW + max(LASTING)), _Tail(WINDOW + max(LASTING))
        self._heights, self._sizes = _Tail(HISTORY), _Tail(HISTORY)
        self._largest = 0.0
        self._calm: list[tuple[int, float]] = []
        self._steps_up = 0

    @property
    def ongoing(self) -> bool:
        """Whether a spike goes on."""
        return bool(self.spikes) and self.spikes[-1].over is None and self._steps_up > 0

    def update(self, step: int, loss: float) -> NoisySpike | None:
        """Take the loss of a step, which may be NaN or infinite; the spike that it begins, if it does."""
        if self.ongoing:
            self._continue(step, loss)
            return None
        if not math.isfinite(loss):
            return self._begin(NoisySpike(step, step, step, math.inf, *self.level(), loss, "not finite"))
        level, spread = self.level()
        height = (loss - level) / spread if spread > 0.0 else 0.0
        if len(self._losses) >= WINDOW and spread > 0.0 and self._is_high(height):
            return self._begin(NoisySpike(step, step, step, height, level, spread, loss, "high"))
        self._remember(step, loss, height, spread)
        length = self._lasting()
        return None if length is None else self._begin(self._lasted(step, length))

    def level(self) -> tuple[float, float]:
        """Median of the window and its robust spread; zeros before the first loss."""
        window = self._losses.last(WINDOW)
        if not len(window):
            return 0.0, 0.0
        level = _median(window)
        return level, _NORMAL * _median(np.abs(window - level))

    def _remember(self, step: int, loss: float, height: float, spread: float) -> None:
        if len(self._losses) >= WINDOW and spread > 0.0:
            jump = abs(loss - float(self._losses.last(1)[0])) / math.sqrt(2.0) / spread
            self._note(height, max(height, jump))
        self._losses.append(loss)
        self._steps.append(step)

    def _note(self, height: float, size: float) -> None:
        forgotten = self._sizes.last(HISTORY)[0] if len(self._sizes) == HISTORY else 0.0
        self._heights.append(height)
        self._sizes.append(size)
        if forgotten >= self._largest:
            self._largest = float(self._sizes.last(HISTORY).max())
        self._largest = max(self._largest, size)

    def _is_high(self, height: float) -> bool:
        if len(self._sizes) < WINDOW or height <= self._largest:
            return False
        return height > record_factor(len(self._sizes), tail_index(self._sizes.last(HISTORY))) * self._largest

    def _lasting(self) -> int | None:
        """The shortest length by which the last losses are an excursion."""
        losses = self._losses.last(WINDOW + max(LASTING))
        for length, rank in _RANKS.items():
            window = losses[-length - WINDOW : -length]
            if len(window) < WINDOW:
                return None
            lowest = losses[-length:].min()
            if lowest > np.partition(window, -rank - 1)[-rank - 1] and self._is_record(length):
                return length
        return None

    def _is_record(self, length: int) -> bool:
        """Whether no run of this length stood as high, in spreads, since heights are remembered."""
        heights = self._heights.last(HISTORY)
        if len(heights) < length:
            return True
        lowest = sliding_window_view(heights, length).min(axis=1)
        return len(lowest) <= length or bool(lowest[-1] > lowest[:-length].max())

    def _lasted(self, step: int, length: int) -> NoisySpike:
        """The excursion; its steps leave the window."""
        run = [
            (int(at), float(loss)) for at, loss in zip(self._steps.last(length), self._losses.last(length), strict=True)
        ]
        for tail in (self._losses, self._steps, self._heights, self._sizes):
            tail.drop(length)
        self._largest = float(self._sizes.last(HISTORY).max(initial=0.0))
        level, spread = self.level()
        peak, loss = max(run, key=lambda pair: pair[1])
        height = (loss - level) / spread if spread > 0.0 else math.inf
        return NoisySpike(run[0][0], step, peak, height, level, spread, loss, "lasting")

    def _begin(self, spike: NoisySpike) -> NoisySpike:
        self.spikes.append(spike)
        self._calm, self._steps_up = [], 1
        return spike

    def _continue(self, step: int, loss: float) -> None:
        """Follow the spike to its peak and its end."""
        spike = self.spikes[-1]
        self._steps_up += 1
        if not math.isfinite(loss) or loss > self._ceiling():
            self._calm = []
        else:
            self._calm.append((step, loss))
        if loss > spike.loss or (math.isinf(spike.height) and not math.isfinite(spike.loss) and math.isfinite(loss)):
            self.spikes[-1] = _with_peak(spike, step, loss)
        if len(self._calm) >= _SETTLED:
            self.spikes[-1] = _with(self.spikes[-1], over=self._calm[0][0])
            for at, calm in self._calm:
                self._losses.append(calm)
                self._steps.append(at)
            self._steps_up = 0
        elif self._steps_up >= _NEW_LEVEL:
            for tail in (self._losses, self._steps):
                tail.drop(WINDOW + max(LASTING))
            self._steps_up = 0

    def _ceiling(self) -> float:
        return float(self._losses.last(WINDOW).max(initial=-math.inf)) if len(self._losses) else math.inf


def _median(numbers: np.ndarray) -> float:
    middle = len(numbers) // 2
    halves = np.partition(numbers, (max(middle - 1, 0), middle))
    return float(halves[middle]) if len(numbers) % 2 else float(halves[middle - 1] + halves[middle]) / 2.0


def detect(steps: Iterable[int], losses: Iterable[float]) -> tuple[NoisySpike, ...]:
    """The spikes of a whole record of losses, one a step; a loss may be NaN or infinite."""
    detector = Detector()
    for step, loss in zip(steps, losses, strict=True):
        detector.update(step, loss)
    return tuple(detector.spikes)


def _with_peak(spike: NoisySpike, step: int, loss: float) -> NoisySpike:
    if spike.rule == "not finite":
        return spike
    return _with(spike, peak=step, loss=loss, height=(loss - spike.level) / spike.spread if spike.spread else math.inf)


def _with(spike: NoisySpike, **changes: object) -> NoisySpike:
    return replace(spike, **changes)  # type: ignore[arg-type]
