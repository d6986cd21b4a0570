"""What every fork of one training shares: where it begins and ends, and what was usual before the spike."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import mannwhitneyu

from spikecheck.core.errors import SpikecheckError
from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.thresholds import WINDOW, memory

BEFORE = 64
"""Steps from the fork to the onset. docs/decisions/0004-causes-by-forks.md has the reasons of all these numbers."""
LEAD = 8
"""Steps before the onset in which its cause is looked for: spikes follow a lag of the second moment by 1 to 8."""
DATED_LATE = 24
"""Steps after an excursion's first at which the detector may date its onset, where it does not thin the losses."""
SHORTEST, LONGEST = 64, 128
"""Steps after the onset, at least and at most; between them, twice as many as the excursion had."""
BENIGN_LOSSES, BENIGN_AFTER, BENIGN_LEVEL = 3, 64, 0.01
"""An excursion with so few high losses is benign where so many losses after it are not higher, by a test at this level."""
_FEWEST = BENIGN_AFTER // 2
"""Losses before and after it without which a spike is not called benign."""
_MEMORY_SPAN = 512
"""Losses from which their memory is estimated, as the detector has it."""


class NotApplicable(SpikecheckError):
    """An arm cannot change anything in this training; the text says why."""


@dataclass(frozen=True)
class Usual:
    """What the optimizers did in the first run from the fork on, one entry an optimizer of the training."""

    rates: tuple[tuple[float, ...], ...] = ()
    """[optimizer][group], medians over the steps from the fork to the onset."""
    rate_varies: float = 0.0
    """Largest deviation from that median in the whole window, relative."""
    norms: tuple[float, ...] = ()
    """Of the gradient, medians over the same steps."""
    norm_exceeds: float = 0.0
    """Largest norm in the window over its median, less 1."""
    autocast: bool = False
    """Whether a step computes in lower precision by autocast."""


@dataclass(frozen=True)
class Scene:
    """One spike, and the window in which it is forked."""

    start: int
    """Step at which forks begin: steps made before it."""
    onset: int
    over: int
    """First step of the calm after it, or the end."""
    end: int
    level: float
    spread: float
    usual: Usual = Usual()

    @property
    def steps(self) -> int:
        """That a fork makes."""
        return self.end - self.start

    @property
    def left_out(self) -> range:
        """Steps whose batches are left out: from shortly before the onset to the calm."""
        return range(max(self.start, self.onset - LEAD // 2), self.over)


@dataclass(frozen=True)
class Context:
    """What an arm is given besides the training: the spike's scene, and the number of the fork."""

    scene: Scene
    fork: int


def scene_of(spike: NoisySpike, until: int, first: int = 0) -> Scene:
    """Where forks begin and end, in a run of the steps from `first` to `until` - 1."""
    lasted = LONGEST if spike.over is None else spike.over - spike.onset
    end = min(until, spike.onset + min(max(2 * lasted, SHORTEST), LONGEST))
    return Scene(
        start=max(first, spike.onset - BEFORE),
        onset=spike.onset,
        over=end if spike.over is None else min(spike.over, end),
        end=end,
        level=spike.level,
        spread=unit(spike.level, spike.spread),
    )


def unit(level: float, spread: float) -> float:
    """What heights are measured in: the spread of losses, or where all are equal, a millionth of their level or of 1."""
    return spread if spread > 0.0 else max(abs(level), 1.0) * 1e-6


def is_benign(spike: NoisySpike, losses: Sequence[float], first: int = 0) -> bool:
    """Whether few losses were high, and those after no higher than before; `losses` are the run's from step `first` on."""
    if spike.over is None:
        return False
    onset, over = spike.onset - first, spike.over - first
    earlier = np.array([loss for loss in losses[max(0, onset - _MEMORY_SPAN) : onset] if math.isfinite(loss)])
    before, after = earlier[-WINDOW:], np.array(losses[over : over + BENIGN_AFTER])
    if min(len(before), len(after)) < _FEWEST or not np.isfinite(after).all():
        return False
    ceiling = min(before.max(), after.max())
    high = sum(not loss <= ceiling for loss in losses[onset:over])
    return high <= BENIGN_LOSSES and not _higher(after, before, memory(earlier))


def _higher(after: np.ndarray, before: np.ndarray, stride: int) -> bool:
    """Whether losses have risen, by the test of Mann, Whitney and Wilcoxon on losses so far apart."""
    test = mannwhitneyu(after[::stride], before[::-stride], alternative="greater")
    return bool(test.pvalue <= BENIGN_LEVEL)
