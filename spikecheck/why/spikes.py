"""Which spike of a run is explained."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from spikecheck.core.errors import UsageError
from spikecheck.core.why import HIGHEST, Spike
from spikecheck.watch.detector import NoisySpike, detect
from spikecheck.why.excursion import FEWEST_BEFORE, NEAR, excursion_at
from spikecheck.why.scene import Scene, is_benign


@dataclass(frozen=True)
class Run:
    """Losses of consecutive steps."""

    first: int
    """Number of the first loss's step."""
    losses: Sequence[float]

    def until(self, step: int) -> Sequence[float]:
        """Losses of the steps before this one."""
        return self.losses[: step - self.first]

    def within(self, scene: Scene) -> Sequence[float]:
        """Losses of the steps that a fork makes again."""
        return self.losses[scene.start - self.first : scene.end - self.first]

    @property
    def spikes(self) -> tuple[NoisySpike, ...]:
        """All that the detector finds."""
        return detect(range(self.first, self.first + len(self.losses)), self.losses)

    def is_benign(self, spike: NoisySpike) -> bool:
        """Whether it was over in a few steps and cost nothing."""
        return is_benign(spike, self.losses, self.first)


def first_costly(run: Run, spikes: Sequence[NoisySpike]) -> NoisySpike | None:
    """The first spike that is not benign; None where there is none so far."""
    return next((spike for spike in spikes if not run.is_benign(spike)), None)


def at_step(run: Run, spikes: Sequence[NoisySpike], at: int) -> NoisySpike:
    """The spike at a step: the nearest that the detector finds, or else the excursion that is there.

    Raises:
        UsageError: when the loss does not rise there.
    """
    near = [spike for spike in spikes if spike.onset - NEAR <= at <= (spike.over or math.inf) + NEAR]
    found = min(near, key=lambda spike: abs(spike.onset - at), default=excursion_at(run.first, run.losses, at))
    if found is None and at - run.first < FEWEST_BEFORE:
        raise UsageError(
            f"--at-step {at}: {max(at - run.first, 0)} losses come before it, and {FEWEST_BEFORE} are needed to tell what is "
            f"usual; name a step from {run.first + FEWEST_BEFORE} on"
        )
    if found is None:
        known = ", ".join(f"{spike.onset:,}" for spike in spikes[:8]) or "none"
        raise UsageError(
            f"--at-step {at}: within {NEAR} steps of it no loss is above those of the 128 steps before; "
            f"spikes begin at: {known}"
        )
    return found


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
