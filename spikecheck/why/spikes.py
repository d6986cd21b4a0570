"""Which spike of a run is explained."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from spikecheck.core.errors import UsageError
from spikecheck.core.why import HIGHEST, Spike
from spikecheck.watch.detector import NoisySpike, detect
from spikecheck.why.scene import is_benign

_NEAR = 64
"""Steps from a spike within which a step still means that spike."""


@dataclass(frozen=True)
class Run:
    """Losses of consecutive steps."""

    first: int
    """Number of the first loss's step."""
    losses: Sequence[float]

    def until(self, step: int) -> Sequence[float]:
        """Losses of the steps before this one."""
        return self.losses[: step - self.first]

    @property
    def spikes(self) -> tuple[NoisySpike, ...]:
        """All that the detector finds."""
        return detect(range(self.first, self.first + len(self.losses)), self.losses)

    def is_benign(self, spike: NoisySpike) -> bool:
        """Whether it was over in a few steps and cost nothing."""
        return is_benign(spike, self.losses, self.first)


def meant(run: Run, spikes: Sequence[NoisySpike], at: int | None) -> NoisySpike | None:
    """The spike at a step; without one the first that is not benign. None where there is none so far."""
    if at is None:
        return next((spike for spike in spikes if not run.is_benign(spike)), None)
    near = [spike for spike in spikes if spike.onset - _NEAR <= at <= (spike.over or math.inf) + _NEAR]
    return min(near, key=lambda spike: abs(spike.onset - at), default=None)


def chosen(run: Run, spikes: Sequence[NoisySpike], at: int | None) -> NoisySpike | None:
    """As `meant`, of a run that is complete.

    Raises:
        UsageError: when there is no spike at that step.
    """
    spike = meant(run, spikes, at)
    if spike is None and at is not None:
        known = ", ".join(f"{spike.onset:,}" for spike in spikes[:8]) or "none"
        raise UsageError(f"--at-step {at}: no spike is within {_NEAR} steps of it; spikes begin at: {known}")
    return spike


def reported(spike: NoisySpike, *, benign: bool) -> Spike:
    """As a report has it."""
    return Spike(
        onset=spike.onset,
        peak=spike.peak,
        over=spike.over,
        height=min(spike.height, HIGHEST) if not math.isnan(spike.height) else HIGHEST,
        level=spike.level,
        spread=spike.spread,
        loss=spike.loss if math.isfinite(spike.loss) else None,
        benign=benign,
    )
