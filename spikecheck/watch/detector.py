"""Detects spikes in noisy losses: excursions that last long enough or are high enough.

docs/explanation/noisy-losses.md derives the thresholds.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from spikecheck.watch.tail import Tail
from spikecheck.watch.thresholds import (
    HISTORY,
    LASTING,
    LONGEST_MEMORY,
    WINDOW,
    lasts,
    level_and_spread,
    memory,
    record_factor,
    tail_index,
)

_SETTLED, _NEW_LEVEL = 5, 512
"""Consecutive steps below the window's largest loss that end a spike; steps after which a raised loss is a new level."""
_MEMORY_SPAN, _MEMORY_AGAIN = 512, 64
"""Steps from which the memory is estimated, and steps between two estimates."""
_PERIOD_SLACK, _ALIKE = 16, 1.5
"""Largest difference of two distances in steps, and largest ratio of two heights, of excursions that recur."""
_MOMENT = WINDOW // 4
"""Steps after a recurring excursion in which another excursion counts as its continuation."""


@dataclass(frozen=True, slots=True)
class NoisySpike:
    """An excursion of a noisy loss. Steps are the numbers given with the losses."""

    onset: int
    """First step of the excursion."""
    alarm: int
    """Step at which it was detected."""
    peak: int
    height: float
    """Height of the peak above the level, in spreads; infinite if a loss was not finite."""
    level: float
    """Median of the losses before it."""
    spread: float
    """Robust standard deviation of the losses before it."""
    loss: float
    """Loss at the peak."""
    rule: Literal["lasting", "high", "not finite"]
    over: int | None = None
    """First step after its end; None while it lasts, or if the loss stayed at a new level."""


_KEPT = (WINDOW + max(LASTING)) * LONGEST_MEMORY


class Detector:
    """Takes losses one by one and reports when a spike begins.

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
        """All spikes so far; the last may not have ended."""
        self.recurring: list[NoisySpike] = []
        """Excursions that recur at equal distances and are not higher, such as an epoch's hard batches. No alarms."""
        self._losses, self._steps = Tail(_KEPT), Tail(_KEPT)
        self._stride, self._taken = 1, 0
        self._current: NoisySpike | None = None
        self._heights, self._sizes = Tail(HISTORY), Tail(HISTORY)
        self._largest = 0.0
        self._calm: list[tuple[int, float]] = []
        self._steps_up = 0

    @property
    def ongoing(self) -> bool:
        """Whether an excursion has begun and not ended."""
        return self._current is not None

    def update(self, step: int, loss: float) -> NoisySpike | None:
        """Add the loss of a step, which may be NaN or infinite. Returns the spike that begins with it, or None."""
        if self._current is not None:
            self._current = self._continue(self._current, step, loss)
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
        """Median and robust standard deviation of the last losses; zeros before the first loss."""
        window = self._losses.last(WINDOW)
        return level_and_spread(window) if len(window) else (0.0, 0.0)

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
        """The shortest length for which the last losses, thinned until they are independent, are an excursion."""
        self._taken += 1
        if self._taken % _MEMORY_AGAIN == 0:
            self._stride = memory(self._losses.last(_MEMORY_SPAN))
        if self._taken % self._stride:
            return None
        if len(self._losses) < WINDOW:  # the memory is not known before
            return None
        losses = self._thinned(self._losses)
        windows = ((length, losses[-length - WINDOW : -length]) for length in LASTING)
        longs = (length for length, window in windows if lasts(losses[-length:], window) and self._is_record(length))
        return next(longs, None)

    def _thinned(self, tail: Tail) -> np.ndarray:
        return tail.last(_KEPT)[:: -self._stride][::-1]

    def _is_record(self, length: int) -> bool:
        """Whether this is the highest run of its length, in spreads, among the remembered heights."""
        heights = self._thinned(self._heights)
        if len(heights) < length:
            return True
        lowest = sliding_window_view(heights, length).min(axis=1)
        return len(lowest) <= length or bool(lowest[-1] > lowest[:-length].max())

    def _lasted(self, step: int, length: int) -> NoisySpike:
        """Make the excursion that was detected at `step`, and remove its losses from the window."""
        covered = (length - 1) * self._stride + 1
        steps, losses = self._steps.last(covered), self._losses.last(covered)
        run = [(int(at), float(loss)) for at, loss in zip(steps, losses, strict=True)]
        for tail in (self._losses, self._steps, self._heights, self._sizes):
            tail.drop(covered)
        self._largest = float(self._sizes.last(HISTORY).max(initial=0.0))
        level, spread = self.level()
        peak, loss = max(run, key=lambda pair: pair[1])
        height = (loss - level) / spread if spread > 0.0 else math.inf
        return NoisySpike(run[0][0], step, peak, height, level, spread, loss, "lasting")

    def _begin(self, spike: NoisySpike) -> NoisySpike | None:
        recurs = spike.rule != "not finite" and self._recurs(spike)
        (self.recurring if recurs else self.spikes).append(spike)
        self._current, self._calm, self._steps_up = spike, [], 1
        return None if recurs else spike

    def _recurs(self, spike: NoisySpike) -> bool:
        """Whether three earlier excursions of similar height lie one, two and three times the same distance back.

        An excursion right after a recurring one counts as its continuation.
        """
        last = self.recurring[-1] if self.recurring else None
        if last is not None and last.over is not None and spike.onset - last.over <= _MOMENT:
            return spike.height <= _ALIKE * last.height
        earlier = [one for one in [*self.spikes, *self.recurring] if one.height * _ALIKE >= spike.height]
        distances = np.array([spike.onset - one.onset for one in earlier])
        return any(
            all(np.abs(distances - times * distance).min() <= _PERIOD_SLACK for times in (2, 3))
            for distance in distances[distances <= HISTORY]
        )

    def _continue(self, spike: NoisySpike, step: int, loss: float) -> NoisySpike | None:
        """Update the current excursion; None when it has ended."""
        self._steps_up += 1
        calm = math.isfinite(loss) and loss <= self._ceiling()
        self._calm = [*self._calm, (step, loss)] if calm else []
        changed = spike
        if loss > spike.loss and spike.rule != "not finite":
            height = (loss - spike.level) / spike.spread if spike.spread else math.inf
            changed = replace(spike, peak=step, loss=loss, height=height)
        ends = len(self._calm) >= _SETTLED
        if ends:
            changed = replace(changed, over=self._calm[0][0])
        self._replace(spike, changed)
        if ends:
            self._go_on(self._calm)
        elif self._steps_up >= _NEW_LEVEL:
            self._forget_level()
        return None if ends or self._steps_up >= _NEW_LEVEL else changed

    def _replace(self, spike: NoisySpike, changed: NoisySpike) -> None:
        kept = self.spikes if self.spikes and self.spikes[-1] is spike else self.recurring
        kept[-1] = changed

    def _go_on(self, calm: list[tuple[int, float]]) -> None:
        for step, loss in calm:
            self._losses.append(loss)
            self._steps.append(step)

    def _forget_level(self) -> None:
        for tail in (self._losses, self._steps):
            tail.clear()

    def _ceiling(self) -> float:
        return float(self._losses.last(WINDOW).max(initial=-math.inf)) if len(self._losses) else math.inf


def detect(steps: Iterable[int], losses: Iterable[float]) -> tuple[NoisySpike, ...]:
    """The spikes of a whole series of losses, one for each step. Losses may be NaN or infinite."""
    detector = Detector()
    for step, loss in zip(steps, losses, strict=True):
        detector.update(step, float(loss))
    return tuple(detector.spikes)
