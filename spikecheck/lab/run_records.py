"""Turns tensors into runs: one member's part of a tile's results, as NumPy arrays that can be stored."""

from collections.abc import Mapping, Sequence
from itertools import compress

import numpy as np
import torch
from torch import Tensor

from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Array, Ended, Run, Snapshot
from spikecheck.core.spike import SpikeDefinition
from spikecheck.lab.run_codec import Checkpoints
from spikecheck.measures.spikes import spikes
from spikecheck.objective.objective import Objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.training.loop import Trajectory

Records = Mapping[str, Mapping[str, Array]]
"""Arrays by the probe's kind and by their own names."""


def run_of(
    recipe: Recipe,
    objective: Objective,
    trajectory: Trajectory,
    member: int,
    start: int,
    definition: SpikeDefinition,
    records: Records | None = None,
) -> Run:
    """One member's training as a run that begins at step `start`."""
    loss, ended = _finite(trajectory.loss[:, member], start)
    first = trajectory.checkpoints[0] if trajectory.checkpoints else trajectory.end  # no checkpoint: no step was made
    states = {"start": first, "end": trajectory.end}
    snapshots = {
        name: snapshot(objective, int(state.done[member]), state.params[member])
        for name, state in states.items()
        if bool(state.params[member].isfinite().all())
    }
    run_spikes = spikes(loss, definition, start)
    return Run(recipe.setting, recipe.seed, start, loss, ended, run_spikes, snapshots, records or {})


def snapshot(objective: Objective, step: int, params: Tensor) -> Snapshot:
    """One member's weights."""
    input_weights, output_weights = objective.weights(params)
    return Snapshot(step, numbers(params), input_weights, output_weights)


def checkpoints_of(trajectory: Trajectory, members: int) -> list[Checkpoints]:
    """The first members' checkpoints up to a divergence; states that are not finite are left out."""
    states = trajectory.checkpoints
    finite = torch.stack([state.params.isfinite().all(1) for state in states], 1).tolist()
    return [_checkpoints(list(compress(states, finite[member])), member) for member in range(members)]


def _checkpoints(states: Sequence[Ensemble], member: int) -> Checkpoints:
    """One member's part of some states."""
    return Checkpoints(
        steps=np.array([int(state.done[member]) for state in states]),
        params=np.stack([state.params[member].cpu().numpy() for state in states]),
        slots={
            name: np.stack([state.slots[name][member].cpu().numpy() for state in states]) for name in states[0].slots
        },
    )


def _finite(loss: Tensor, start: int) -> tuple[Array, Ended]:
    """The losses up to the first that is not finite, and how the training ended."""
    values = numbers(loss)
    lost = ~np.isfinite(values)
    if not lost.any():
        return values, Ended("completed", start + len(values) - 1)
    first = int(lost.argmax())
    return values[:first], Ended("diverged", start + first)


def numbers(tensor: Tensor) -> Array:
    """A copy as NumPy's float64."""
    array: Array = tensor.detach().to(torch.float64).cpu().numpy().copy()
    return array
