"""A spike that is the loss back at its earlier level: then the fall before it is to be explained.

docs/decisions/0004-causes-by-forks.md has the rule, under its fourth amendment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import mannwhitneyu

from spikecheck.core.why import HIGHEST, Fall
from spikecheck.watch.thresholds import WINDOW, level_and_spread, memory
from spikecheck.why.heights import HALF, Seen, late_loss
from spikecheck.why.scene import Scene, unit

_LEVEL = 0.01
"""Of each test."""
_FEWEST = 32
"""Losses of each stretch that the tests need."""


@dataclass(frozen=True)
class Earlier:
    """The losses before the forks, with which the losses of forks are compared."""

    losses: np.ndarray
    stride: int
    """Steps between losses that are about independent."""

    def is_below(self, losses: np.ndarray) -> bool:
        """Whether it is lower than these."""
        return self._differs(losses, "greater")

    def is_above(self, losses: np.ndarray) -> bool:
        """Whether it is higher than these."""
        return self._differs(losses, "less")

    def depth(self, losses: np.ndarray) -> float:
        """How far these lie below it, by their medians, in robust spreads."""
        level, spread = level_and_spread(self.losses)
        return min((level - float(np.median(losses))) / unit(level, spread), HIGHEST)

    def _differs(self, losses: np.ndarray, how: Literal["greater", "less"]) -> bool:
        test = mannwhitneyu(losses[:: self.stride], self.losses[:: self.stride], alternative=how)
        return bool(test.pvalue <= _LEVEL)


class FallReader:
    """Reads from forks whether the loss falls before the onset. For `Inquiry`, in place of the reader of spikes."""

    def __init__(self, scene: Scene, earlier: Earlier, own: Sequence[float]) -> None:
        """`own` are the run's losses from the fork on."""
        self._steps, self._earlier = scene.onset - scene.start, earlier
        self._half = HALF * earlier.depth(np.array(own[: self._steps]))

    def seen(self, losses: Sequence[float]) -> Seen:
        """A fork, judged."""
        between = np.array(losses[: self._steps])
        if not np.isfinite(between).all():
            return Seen(losses, HIGHEST, alarms=True, spikes=True, late=late_loss(losses))
        depth = self._earlier.depth(between)
        differs = self._earlier.is_above(between) or self._earlier.is_below(between)
        return Seen(losses, depth, differs, differs or depth >= self._half, late_loss(losses))


def fall_before(scene: Scene, before: Sequence[float], own: Sequence[float]) -> tuple[Fall, FallReader] | None:
    """The fall, and a reader of it, where the spike is a return; None elsewhere.

    Args:
        scene: of the spike.
        before: the run's losses up to the fork.
        own: its losses from the fork on, to the end of the scene.
    """
    known, whole = np.array(before[-WINDOW:]), np.array(own)
    between, now = whole[: scene.onset - scene.start], whole[scene.onset - scene.start :]
    if min(map(len, (known, between, now))) < _FEWEST or not all(np.isfinite(part).all() for part in (known, whole)):
        return None
    earlier = Earlier(known, memory(known))
    if not earlier.is_above(between) or earlier.is_below(now):
        return None
    medians = (float(f"{np.median(part):.5g}") for part in (known, between, now))
    fell = dict(zip(("earlier", "between", "now"), medians, strict=True))
    return Fall(step=scene.start, **fell), FallReader(scene, earlier, own)
