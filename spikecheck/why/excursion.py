"""An excursion at a step that a user names, or the highest one, where the detector raises no alarm: short and early runs
have not shown it enough losses to be sure."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.thresholds import WINDOW

NEAR = 64
"""Steps around the named one in which the excursion is looked for."""
FEWEST_BEFORE = 32
"""Losses before it that level and spread need."""
_CALM = 5
"""Losses in a row below the window's largest that end an excursion, as the detector has it."""
_NORMAL = 1.4826


def excursion_at(first: int, losses: Sequence[float], at: int) -> NoisySpike | None:
    """The excursion around a step of a run whose losses begin at step `first`.

    None where too few losses come before it, or none near the step is above all of the 128 before.
    """
    whole = np.array(losses)
    low, high = max(at - NEAR - first, min(at - first, FEWEST_BEFORE)), min(at + NEAR + 1 - first, len(whole))
    window = whole[max(0, low - WINDOW) : low]
    if len(window) < FEWEST_BEFORE or not np.isfinite(window).all():
        return None
    ceiling = float(window.max())
    up = np.flatnonzero(~(whole[low:high] <= ceiling)) + low  # a loss that is no number is up
    if not len(up):
        return None
    level, spread = _level(window)
    peak = _peak(whole, up)
    height = (float(whole[peak]) - level) / spread if spread > 0.0 else math.inf
    over = _over(whole, peak, ceiling)
    return NoisySpike(
        onset=first + _onset(up, peak),
        alarm=first + peak,
        peak=first + peak,
        height=height if math.isfinite(height) else math.inf,
        level=level,
        spread=spread,
        loss=float(whole[peak]),
        rule="high" if math.isfinite(height) else "not finite",
        over=None if over is None else first + over,
    )


def highest(first: int, losses: Sequence[float]) -> tuple[int, float] | None:
    """Step and height, in spreads, of the highest mean of five losses above those of the 128 before; None in short runs."""
    whole = np.array(losses)
    if len(whole) < WINDOW + _CALM or not np.isfinite(whole).all():
        return None
    windows = sliding_window_view(whole[:-_CALM], WINDOW)
    levels = np.median(windows, axis=1)
    spreads = _NORMAL * np.median(np.abs(windows - levels[:, None]), axis=1)
    means = sliding_window_view(whole[WINDOW:], _CALM).mean(axis=1)[: len(levels)]
    heights = np.divide(
        means - levels[: len(means)], spreads[: len(means)], out=np.zeros(len(means)), where=spreads[: len(means)] > 0
    )
    place = int(np.argmax(heights))
    return first + WINDOW + place, float(heights[place])


def _level(window: np.ndarray) -> tuple[float, float]:
    level = float(np.median(window))
    return level, _NORMAL * float(np.median(np.abs(window - level)))


def _peak(whole: np.ndarray, up: np.ndarray) -> int:
    """The highest of the losses that are up; one that is no number is the highest of all."""
    return int(up[np.argmax(np.nan_to_num(whole[up], nan=np.inf))])


def _onset(up: np.ndarray, peak: int) -> int:
    """Back from the peak, as long as no calm comes between."""
    before = up[up <= peak]
    breaks = np.flatnonzero(np.diff(before) > _CALM)
    return int(before[breaks[-1] + 1] if len(breaks) else before[0])


def _over(whole: np.ndarray, peak: int, ceiling: float) -> int | None:
    """The first of the losses that are calm in a row after the peak; None where they never are."""
    calm = whole[peak:] <= ceiling
    if len(calm) < _CALM:
        return None
    there = np.flatnonzero(sliding_window_view(calm, _CALM).all(axis=1))
    return peak + int(there[0]) if len(there) else None
