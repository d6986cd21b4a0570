"""The spikes of a run: by the claim's definition, or where every loss is of a batch of its own by the detector for noise."""

from typing import TYPE_CHECKING

from spikecheck.core.run import Array, Run
from spikecheck.core.spike import Spike, SpikeDefinition
from spikecheck.measures.spikes import spikes

if TYPE_CHECKING:
    from spikecheck.watch.detector import NoisySpike


def spikes_of(run: Run, definition: SpikeDefinition, loss: Array | None = None) -> tuple[Spike, ...]:
    """The spikes of a run's loss [T], or of another loss in its place."""
    losses = run.loss if loss is None else loss
    if not run.noisy:
        return spikes(losses, definition, run.start)
    # Imported here: few claims are about workloads, and `spikecheck list` must stay quick.
    from spikecheck.watch.detector import detect  # noqa: PLC0415

    return tuple(map(_as_spike, detect(range(len(losses)), losses)))


def _as_spike(noisy: "NoisySpike") -> Spike:
    """Its trough is the step before it, and its height is over the level of the losses before it."""
    height = noisy.loss / noisy.level if noisy.level > 0 else float("inf")
    return Spike(max(noisy.onset - 1, 0), noisy.onset, noisy.peak, noisy.over, height)
