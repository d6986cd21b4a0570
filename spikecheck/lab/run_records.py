"""From tensors to runs: one member's part of what a tile computed, as numpy arrays that can be stored."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Array, Ended, Run, Snapshot
from spikecheck.core.spike import SpikeDefinition
from spikecheck.curvature.linearised_update import Multipliers
from spikecheck.lab.run_codec import Checkpoints
from spikecheck.measures.spikes import spikes
from spikecheck.objective.objective import Objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.training.balance import Stabilisation
from spikecheck.training.dissection import Dissection, EigendirectionResponse, Waypoints
from spikecheck.training.loop import Trajectory
from spikecheck.training.with_sharpness import SharpnessTrajectory

Record = Mapping[str, Mapping[str, Array]]
"""Arrays by the probe's kind and their own names."""


def run_of(
    recipe: Recipe,
    objective: Objective,
    trajectory: Trajectory,
    member: int,
    start: int,
    definition: SpikeDefinition,
    records: Record | None = None,
) -> Run:
    """One member's training as a run."""
    loss, ended = _finite(trajectory.loss[:, member], start)
    first = trajectory.checkpoints[0] if trajectory.checkpoints else trajectory.end  # of no steps at all
    states = {"start": first, "end": trajectory.end}
    snapshots = {
        name: snapshot(objective, int(state.done[member]), state.params[member])
        for name, state in states.items()
        if bool(state.params[member].isfinite().all())
    }
    found = spikes(loss, definition, start)
    return Run(recipe.setting, recipe.seed, start, loss, ended, found, snapshots, records or {})


def snapshot(objective: Objective, step: int, params: Tensor) -> Snapshot:
    """One member's weights."""
    input_weights, output_weights = objective.weights(params)
    return Snapshot(step, _numbers(params), input_weights, output_weights)


def checkpoints_of(trajectory: Trajectory, member: int) -> Checkpoints:
    """The finite states; what follows a divergence is left out."""
    whole = [state for state in trajectory.checkpoints if bool(state.params[member].isfinite().all())]
    return Checkpoints(
        steps=np.array([int(state.done[member]) for state in whole]),
        params=np.stack([state.params[member].cpu().numpy() for state in whole]),
        slots={name: np.stack([state.slots[name][member].cpu().numpy() for state in whole]) for name in whole[0].slots},
    )


def anatomy_of(seen: Dissection, member: int, first: int, length: int) -> Record:
    """One member's window, cut where its numbers end: the last step has no next gradient, so it is not in it."""
    parts = {
        "loss": seen.loss,
        "sharpness": seen.sharpness,
        "residual": seen.residual,
        "swing": seen.swing,
        "next_swing": seen.next_swing,
        "gradient_curvature": seen.gradient_curvature,
    }
    if seen.outputs is not None:
        parts["outputs"] = seen.outputs
    arrays = {name: _numbers(part[:length, member]) for name, part in parts.items()}
    finite = np.logical_and.reduce([np.isfinite(a).reshape(len(a), -1).all(1) for a in arrays.values()])
    length = int(finite.argmin()) if not finite.all() else length
    steps = first + np.arange(length, dtype=np.float64)
    return {"anatomy": {"steps": steps, **{name: array[:length] for name, array in arrays.items()}}}


def sharpness_of(steps: Array, values: Tensor, residuals: Tensor) -> Record:
    """One member's sharpness at its checkpoints."""
    found = {"sharpness": _numbers(values)[:, None], "residual": _numbers(residuals)[:, None]}
    return {"sharpness": {"steps": steps.astype(np.float64), **found}}


def followed_of(seen: SharpnessTrajectory, member: int, steps: int) -> Record:
    """One member's sharpness at every step; steps whose numbers fail are left out."""
    values, residuals = (_numbers(part[: steps + 1, member]) for part in (seen.sharpness, seen.residual))
    sound = np.isfinite(values) & np.isfinite(residuals)
    return {
        "sharpness": {
            "steps": np.arange(steps + 1, dtype=np.float64)[sound],
            "sharpness": values[sound, None],
            "residual": residuals[sound, None],
            "products": _numbers(seen.products[member : member + 1]),
        }
    }


def trail_of(objective: Objective, states: Sequence[Ensemble], seen: Waypoints, member: int) -> Record:
    """One member at its checkpoints."""
    weights = [objective.weights(state.params[member])[0] for state in states]
    return {
        "trail": {
            "steps": np.array([float(state.done[member]) for state in states]),
            "sharpness": _numbers(seen.sharpness[:, member])[:, None],
            "residual": _numbers(seen.residual[:, member])[:, None],
            "gradient_curvature": _numbers(seen.gradient_curvature[:, member]),
            "outputs": _numbers(seen.outputs[:, member]),
            "input_weights": np.stack(weights),
        }
    }


def directions_of(seen: EigendirectionResponse, member: int) -> Record:
    """What one member's eigendirections do to its outputs; empty where its Hessian holds no numbers."""
    parts = {
        "values": seen.values,
        "residual": seen.residuals,
        "deviation": seen.deviation,
        "outputs": seen.outputs,
        "train_outputs": seen.train_outputs,
        "own": seen.own,
    }
    if seen.random is not None:
        parts["random_deviation"] = seen.random
    arrays = {name: _numbers(part[member]) for name, part in parts.items()}
    return {"directions": arrays} if all(np.isfinite(array).all() for array in arrays.values()) else {}


def balance_of(seen: Stabilisation, member: int) -> Record:
    """One member's looks; those whose numbers fail are left out."""
    parts = (seen.steps, seen.sharpness, seen.residual, seen.displacement, seen.sharpening, seen.steepness)
    looks = np.stack([_numbers(part[:, member]) for part in parts])
    steps, sharpness, residual, displacement, sharpening, steepness = looks[:, np.isfinite(looks).all(0)]
    return {
        "balance": {
            "steps": steps,
            "sharpness": sharpness,
            "residual": residual[:, None],
            "displacement": displacement,
            "sharpening": sharpening,
            "steepness": steepness,
        }
    }


def finish_of(
    early: Sequence[Multipliers],
    steps: Array,
    looks: Sequence[Multipliers],
    held_out: Mapping[str, Tensor],
    member: int,
) -> Record:
    """How one member began and ended; looks at states whose numbers fail are left out."""
    found = np.array([[float(look.reversal[member]), float(look.residual[member])] for look in looks]).reshape(-1, 2)
    sound = np.isfinite(found).all(1)
    record = {
        "steps": steps.astype(np.float64)[sound],
        "late": found[sound, 0],
        "residual": found[sound, 1],
    }
    first = np.array([float(look.reversal[member]) for look in early])
    if len(first) and np.isfinite(first).all():
        record["early"] = first
    if "test_loss" in held_out and bool(held_out["test_loss"][member].isfinite()):
        record["test_loss"] = _numbers(held_out["test_loss"][member : member + 1])
    return {"finish": record}


def multipliers_of(found: Multipliers, member: int, name: str) -> dict[str, Array]:
    """One member's, under the name of the landmark; nothing where its numbers fail."""
    parts = (found.oscillating, found.radius, found.residual)
    values = np.array([float(part[member]) for part in parts])
    return {name: values} if np.isfinite(values).all() else {}


def _finite(loss: Tensor, start: int) -> tuple[Array, Ended]:
    """The losses up to the first that is not finite, and how the training ended."""
    values = _numbers(loss)
    lost = ~np.isfinite(values)
    if not lost.any():
        return values, Ended("completed", start + len(values) - 1)
    first = int(lost.argmax())
    return values[:first], Ended("diverged", start + first)


def _numbers(tensor: Tensor) -> Array:
    numbers: Array = tensor.detach().to(torch.float64).cpu().numpy().copy()
    return numbers
