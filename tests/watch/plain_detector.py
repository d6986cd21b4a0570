"""The detector once more, over plain lists, as docs/explanation/noisy-losses.md states it: what `Detector` must agree with.

The thresholds are the package's own, which have tests of their own; everything is counted again at every step.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.thresholds import LASTING, lasts, memory, record_factor, tail_index

WINDOW, KEPT = 128, (128 + 24) * 32


@dataclass
class PlainDetector:
    """Takes losses one by one; no list is ever shortened except where losses are taken out."""

    history: int = 4096
    spikes: list[NoisySpike] = field(default_factory=list)
    recurring: list[NoisySpike] = field(default_factory=list)
    past: list[tuple[int, float]] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    current: NoisySpike | None = None
    calm: list[tuple[int, float]] = field(default_factory=list)
    up: int = 0
    taken: int = 0
    stride: int = 1

    def losses(self, count: int) -> np.ndarray:
        return np.array([loss for _, loss in self.past[-count:]])

    def level(self) -> tuple[float, float]:
        window = self.losses(WINDOW)
        if not self.past:
            return 0.0, 0.0
        level = float(np.median(window))
        return level, 1.4826 * float(np.median(np.abs(window - level)))

    def update(self, step: int, loss: float) -> NoisySpike | None:
        if self.current is not None:
            self.go_on(self.current, step, loss)
            return None
        level, spread = self.level()
        if not math.isfinite(loss):
            return self.begin(NoisySpike(step, step, step, math.inf, level, spread, loss, "not finite"))
        height = self.height(loss, level, spread, 0.0)
        known = len(self.past) >= WINDOW and spread > 0.0
        sizes = np.array(self.sizes[-self.history :])
        if known and len(sizes) >= WINDOW and height > record_factor(len(sizes), tail_index(sizes)) * sizes.max():
            return self.begin(NoisySpike(step, step, step, height, level, spread, loss, "high"))
        if known:
            jump = abs(loss - self.past[-1][1]) / math.sqrt(2.0) / spread
            self.heights.append(height)
            self.sizes.append(max(height, jump))
        self.past.append((step, loss))
        return self.lasting(step)

    @staticmethod
    def height(loss: float, level: float, spread: float, flat: float) -> float:
        return (loss - level) / spread if spread > 0.0 else flat

    def lasting(self, step: int) -> NoisySpike | None:
        self.taken += 1
        if self.taken % 64 == 0:
            self.stride = memory(self.losses(512))
        if self.taken % self.stride or len(self.past) < WINDOW:
            return None
        thinned = self.losses(KEPT)[:: -self.stride][::-1]
        for length in LASTING:
            run, window = thinned[-length:], thinned[-length - WINDOW : -length]
            if lasts(run, window) and self.is_record(length):
                return self.begin(self.lasted(step, (length - 1) * self.stride + 1))
        return None

    def is_record(self, length: int) -> bool:
        heights = self.heights[-self.history :][:: -self.stride][::-1]
        lowest = [min(heights[start : start + length]) for start in range(len(heights) - length + 1)]
        return all(lowest[-1] > other for other in lowest[:-length])

    def lasted(self, step: int, covered: int) -> NoisySpike:
        run = self.past[-covered:]
        for numbers in (self.past, self.heights, self.sizes):
            del numbers[-covered:]
        level, spread = self.level()
        loss = max(loss for _, loss in run)
        peak = next(at for at, other in run if other == loss)
        return NoisySpike(
            run[0][0], step, peak, self.height(loss, level, spread, math.inf), level, spread, loss, "lasting"
        )

    def begin(self, spike: NoisySpike) -> NoisySpike | None:
        recurs = spike.rule != "not finite" and self.recurs(spike)
        (self.recurring if recurs else self.spikes).append(spike)
        self.current, self.calm, self.up = spike, [], 1
        return None if recurs else spike

    def recurs(self, spike: NoisySpike) -> bool:
        if self.recurring:
            last = self.recurring[-1]
            if last.over is not None and spike.onset <= last.over + 32:
                return spike.height <= 1.5 * last.height
        back = [spike.onset - one.onset for one in self.spikes + self.recurring if spike.height <= 1.5 * one.height]
        return any(
            once <= self.history
            and any(abs(twice - 2 * once) <= 16 for twice in back)
            and any(abs(thrice - 3 * once) <= 16 for thrice in back)
            for once in back
        )

    def go_on(self, spike: NoisySpike, step: int, loss: float) -> None:
        self.up += 1
        ceiling = max((loss for _, loss in self.past[-WINDOW:]), default=math.inf)
        self.calm = [*self.calm, (step, loss)] if math.isfinite(loss) and loss <= ceiling else []
        changed = spike
        if spike.rule != "not finite" and loss > spike.loss:
            changed = replace(
                spike, peak=step, loss=loss, height=self.height(loss, spike.level, spike.spread, math.inf)
            )
        over = len(self.calm) == 5
        if over:
            changed = replace(changed, over=self.calm[0][0])
        kept = next(one for one in (self.spikes, self.recurring) if one and one[-1] is spike)
        kept[-1] = changed
        self.current = changed
        if over:
            self.past += self.calm
            self.current = None
        elif self.up == 512:
            self.past.clear()
            self.current = None


Kind = Literal["normal", "student", "correlated", "repeated", "rounded", "falling"]


def noise(kind: Kind, steps: int, seed: int) -> np.ndarray:
    """Losses [steps] of this kind around 2, with a spread of about 0.1."""
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal(steps)
    made = {
        "normal": normal,
        "student": rng.standard_t(3, steps),
        "correlated": np.convolve(rng.standard_normal(steps + 30), 0.7 ** np.arange(31), "valid"),
        "repeated": np.repeat(normal, 8)[:steps],
        "rounded": np.round(normal / 2.0) * 2.0,
        "falling": normal + 30.0 * (1.0 + np.arange(steps) / 50.0) ** -0.5,
    }
    return 2.0 + 0.1 * made[kind]


def disturbed(series: np.ndarray, seed: int) -> np.ndarray:
    """The losses with excursions of every kind: high, long, of several high parts, and not finite."""
    rng, changed = np.random.default_rng(seed), series.copy()
    onset = 140
    while onset < len(series) - 100:
        length = int(rng.choice([1, 3, 6, 12, 24, 60]))
        changed[onset : onset + length] += 0.1 * rng.choice([2.0, 4.0, 8.0, 40.0])
        if rng.random() < 0.15:
            changed[onset + length // 2] = rng.choice([np.nan, np.inf, -np.inf])
        onset += length + int(rng.integers(3, 200))
    return changed
