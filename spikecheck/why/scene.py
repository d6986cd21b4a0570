"""What every fork of one training shares: where it begins and ends, and what was usual before the spike."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from spikecheck.core.errors import SpikecheckError
from spikecheck.watch.detector import NoisySpike

BEFORE = 64
"""Steps from the fork to the onset. docs/decisions/0004-causes-by-forks.md has the reasons of all these numbers."""
LEAD = 8
"""Steps before the onset in which its cause is looked for: spikes follow a lag of the second moment by 1 to 8."""
DATED_LATE = 24
"""Steps after an excursion's first at which the detector may date its onset, where it does not thin the losses."""
SHORTEST, LONGEST = 64, 128
"""Steps after the onset, at least and at most; between them, twice as many as the excursion had."""
BENIGN_STEPS, BENIGN_SPREADS, BENIGN_AFTER = 3, 0.25, 64
"""An excursion of so few steps is benign where the median of the next losses is so little above the level before."""


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
    spread = spike.spread if spike.spread > 0.0 else max(abs(spike.level), 1.0) * 1e-6
    return Scene(
        start=max(first, spike.onset - BEFORE),
        onset=spike.onset,
        over=end if spike.over is None else min(spike.over, end),
        end=end,
        level=spike.level,
        spread=spread,
    )


def is_benign(spike: NoisySpike, losses: Sequence[float], first: int = 0) -> bool:
    """Whether the loss was back in a few steps, and no higher than before; `losses` are the run's from step `first` on."""
    if spike.over is None or spike.over - spike.onset > BENIGN_STEPS:
        return False
    after = losses[spike.over - first : spike.over - first + BENIGN_AFTER]
    if len(after) < BENIGN_AFTER // 2 or not all(map(math.isfinite, after)):
        return False
    return median(after) <= spike.level + BENIGN_SPREADS * spike.spread
