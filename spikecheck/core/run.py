"""The result of one training."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ended:
    """Why and at which step a training ended; for `diverged` it is the first step whose loss was not finite."""

    reason: Literal["completed", "diverged"]
    step: int


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The weights at one step. Axes: P parameters, W neurons of the first hidden layer, D inputs, O outputs."""

    step: int
    params: Array
    """[P], in the model's flat order."""
    input_weights: Array
    """[W, D + 1]: every neuron's incoming weights with its bias; [0, 0] where the model has no such layer."""
    output_weights: Array
    """[W, O]: every neuron's outgoing weights; [0, 0] where the model has no such layer."""


@dataclass(frozen=True, eq=False)
class Run:
    """One training, read-only. What was not recorded has no key; divergence is in `ended`; no array contains NaN.

    `loss[i]` is the training loss before update `start + i`, so a run of T updates has T + 1 losses, fewer where it
    diverged. A fork's `start` is the step of its parent at which it began.
    """

    setting: Setting
    seed: int
    start: int
    loss: Array
    ended: Ended
    spikes: tuple[Spike, ...] = ()
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)
    """Weights by landmark: start, end; with an anatomy also onset, peak, recovery."""
    records: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    """Arrays recorded by each probe, by the probe's kind and the array's name."""
    noisy: bool = False
    """Whether every loss is of a batch of its own, as in a workload. There is then none after the last update, and spikes
    are what the detector for noisy losses finds."""

    @property
    def diverged(self) -> bool:
        """Whether the loss became infinite or NaN."""
        return self.ended.reason == "diverged"

    @property
    def has_spike(self) -> bool:
        """Whether the run has at least one spike."""
        return bool(self.spikes)
