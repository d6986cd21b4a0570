"""Trains one tile: the only place where recipes become tensors and tensors become runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from spikecheck.core.intervention import FreezeOutside, LowerRate, steps_of
from spikecheck.core.probe import Anatomy
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Array, Ended, Run, Snapshot
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike, SpikeDefinition
from spikecheck.dynamics.ensemble import Ensemble
from spikecheck.dynamics.probes import Dissection, dissect, top_direction, trace
from spikecheck.dynamics.train import Tick, Trajectory, begin, train
from spikecheck.dynamics.updates import UpdateRule, rule_of
from spikecheck.lab.codec import Checkpoints
from spikecheck.lab.tiles import padded
from spikecheck.measures.spikes import spikes
from spikecheck.problems.objective import Objective, objective

T = TypeVar("T")


@dataclass(frozen=True)
class Trained:
    """A run, and the exact states from which it can be gone on with."""

    run: Run
    checkpoints: Checkpoints | None = None


@dataclass(frozen=True)
class _Tile:
    """One padded tile ready to train."""

    recipes: list[Recipe]
    goal: Objective
    rule: UpdateRule
    lr: Tensor
    device: str

    @property
    def setting(self) -> Setting:
        """The first member's: the others share its signature."""
        return self.recipes[0].setting


def train_tile(tile: Sequence[Recipe], parents: Sequence[Trained], device: str, tick: Tick) -> list[Trained]:
    """Carry out a tile of recipes of one signature and probe.

    `parents` are the unprobed, unforked trainings of the same settings and seeds, empty where the recipes are such
    themselves.
    """
    recipes = padded(tile)
    parents = [*parents, *list(parents[:1]) * (len(recipes) - len(parents))]
    settings = [recipe.setting for recipe in recipes]
    goal = objective(settings, device)
    lr = torch.tensor([setting.lr for setting in settings], dtype=torch.float64, device=device)
    laid = _Tile(recipes, goal, rule_of(settings[0]), lr, device)
    if laid.setting.intervention is not None:
        trained = _fork(laid, parents, tick)
    elif laid.recipes[0].probe is None:
        trained = _trunk(laid, tick)
    elif isinstance(laid.recipes[0].probe, Anatomy):
        trained = _autopsy(laid, parents, tick)
    else:
        trained = _trace(laid, parents)
    return trained[: len(tile)]


def fork_step(recipe: Recipe, parent: Run) -> int | None:
    """Where a fork leaves its parent: None where the parent has no spike with room before it."""
    intervention = recipe.setting.intervention
    found = spikes(parent.loss, intervention.definition) if intervention else ()
    if not found or intervention is None:
        return None
    step = found[0].onset - (intervention.definition.lead if intervention.at == "before_onset" else 0)
    return step if step >= 0 else None


def checkpoint_stride(setting: Setting, parameters: int) -> int:
    """Updates between two checkpoints: close enough to resume cheaply, few enough to keep."""
    return 50 if parameters <= 2_000 else 250


# ---- the four kinds of record ----------------------------------------------------------------------------------------


def _trunk(tile: _Tile, tick: Tick) -> list[Trained]:
    params = tile.goal.initial([recipe.seed for recipe in tile.recipes])
    ensemble = begin(tile.goal, tile.rule, params, tile.lr)
    until = torch.full_like(ensemble.done, tile.setting.steps)
    stride = checkpoint_stride(tile.setting, tile.goal.size)
    trajectory = train(tile.goal, tile.rule, ensemble, until, tick, stride)
    return [
        Trained(_run(tile, member, 0, trajectory, SpikeDefinition()), _checkpoints(trajectory, member))
        for member in range(len(tile.recipes))
    ]


def _fork(tile: _Tile, parents: Sequence[Trained], tick: Tick) -> list[Trained]:
    intervention = tile.setting.intervention
    assert intervention is not None
    starts = [_required(fork_step(r, p.run)) for r, p in zip(tile.recipes, parents, strict=True)]
    ensemble = _resume(tile, parents, starts, tick)
    along = top_direction(tile.goal, ensemble)[0] if isinstance(intervention, FreezeOutside) else None
    if isinstance(intervention, LowerRate):
        factors = [_rate_factor(recipe.setting) for recipe in tile.recipes]
        ensemble = replace(ensemble, lr=ensemble.lr * torch.tensor(factors, dtype=ensemble.lr.dtype))
    until = ensemble.done + steps_of(intervention)
    probe = tile.recipes[0].probe
    if isinstance(probe, Anatomy):
        seen = dissect(tile.goal, tile.rule, ensemble, until, probe.pairs, tick, along=along)
        trajectory = Trajectory(seen.loss, (ensemble,), seen.end)
        records = [_anatomy(seen, m, starts[m], steps_of(intervention)) for m in range(len(tile.recipes))]
    else:
        trajectory = train(tile.goal, tile.rule, ensemble, until, tick, along=along)
        trajectory = replace(trajectory, checkpoints=(ensemble,))
        records = [{} for _ in tile.recipes]
    return [
        Trained(_run(tile, member, starts[member], trajectory, intervention.definition, records[member]))
        for member in range(len(tile.recipes))
    ]


def _autopsy(tile: _Tile, parents: Sequence[Trained], tick: Tick) -> list[Trained]:
    probe = tile.recipes[0].probe
    assert isinstance(probe, Anatomy)
    found = [spikes(parent.run.loss, probe.definition)[0] for parent in parents]
    windows = [_window(probe, spike, parent.run) for spike, parent in zip(found, parents, strict=True)]
    ensemble = _resume(tile, parents, [first for first, _ in windows], tick)
    until = torch.tensor([last for _, last in windows], device=tile.device)
    seen = dissect(tile.goal, tile.rule, ensemble, until, probe.pairs, tick, _landmarks(found, tile.device))
    trained = []
    for member, (spike, (first, last)) in enumerate(zip(found, windows, strict=True)):
        parent = parents[member].run
        points = {"onset": spike.onset, "peak": spike.peak, "recovery": spike.recovery}
        captured = {
            name: _snapshot(tile.goal, step, seen.captured[name][member])
            for name, step in points.items()
            if step is not None and first <= step <= last
        }
        record = _anatomy(seen, member, first, last - first)
        run = replace(
            parent,
            spikes=spikes(parent.loss, probe.definition),
            snapshots={**parent.snapshots, **captured},
            records=record,
        )
        trained.append(Trained(run))
    return trained


def _trace(tile: _Tile, parents: Sequence[Trained]) -> list[Trained]:
    kept = [_required(parent.checkpoints) for parent in parents]
    steps = kept[0].steps
    states = tuple(_state(tile, kept, [index] * len(kept)) for index in range(len(steps)))
    values, residuals = trace(tile.goal, tile.rule, states)
    return [
        Trained(replace(p.run, records=_sharpness(p.run, steps, values[:, m], residuals[:, m])))
        for m, p in enumerate(parents)
    ]


# ---- from stored states to ensembles -----------------------------------------------------------------------------------


def _resume(tile: _Tile, parents: Sequence[Trained], steps: Sequence[int], tick: Tick) -> Ensemble:
    """Every parent's exact state at its own step: from the checkpoint before it, trained on unrecorded."""
    kept = [_required(parent.checkpoints) for parent in parents]
    nearest = [int(np.searchsorted(k.steps, step, side="right")) - 1 for k, step in zip(kept, steps, strict=True)]
    until = torch.tensor(list(steps), device=tile.device)
    return train(tile.goal, tile.rule, _state(tile, kept, nearest), until, tick).end


def _state(tile: _Tile, kept: Sequence[Checkpoints], index: Sequence[int]) -> Ensemble:
    def gathered(rows: list[Array]) -> Tensor:
        return torch.from_numpy(np.stack(rows)).to(tile.device)

    return Ensemble(
        params=gathered([k.params[i] for k, i in zip(kept, index, strict=True)]),
        slots={
            name: gathered([k.slots[name][i] for k, i in zip(kept, index, strict=True)]) for name in tile.rule.slots
        },
        done=torch.tensor([int(k.steps[i]) for k, i in zip(kept, index, strict=True)], device=tile.device),
        lr=tile.lr,
        alive=torch.ones(len(kept), dtype=torch.bool, device=tile.device),
    )


def _window(probe: Anatomy, spike: Spike, run: Run) -> tuple[int, int]:
    """First step seen and last update made: around the spike, inside the run, no longer than asked."""
    first = max(0, spike.onset - probe.before)
    last = (spike.recovery if spike.recovery is not None else spike.peak) + probe.after
    return first, min(last, first + probe.longest, run.ended.step)


def _landmarks(found: Sequence[Spike], device: str) -> Mapping[str, Tensor]:
    """Steps at which to keep the parameters; -1 where a spike has no such step."""
    return {
        "onset": torch.tensor([spike.onset for spike in found], device=device),
        "peak": torch.tensor([spike.peak for spike in found], device=device),
        "recovery": torch.tensor([-1 if s.recovery is None else s.recovery for s in found], device=device),
    }


# ---- from tensors to runs ----------------------------------------------------------------------------------------------


def _run(
    tile: _Tile,
    member: int,
    start: int,
    trajectory: Trajectory,
    definition: SpikeDefinition,
    records: Mapping[str, Mapping[str, Array]] | None = None,
) -> Run:
    recipe = tile.recipes[member]
    loss, ended = _finite(trajectory.loss[:, member], start)
    states = {"start": trajectory.checkpoints[0], "end": trajectory.end}
    snapshots = {
        name: _snapshot(tile.goal, int(state.done[member]), state.params[member])
        for name, state in states.items()
        if bool(state.params[member].isfinite().all())
    }
    found = spikes(loss, definition, start)
    return Run(recipe.setting, recipe.seed, start, loss, ended, found, snapshots, records or {})


def _finite(loss: Tensor, start: int) -> tuple[Array, Ended]:
    """The losses up to the first that is not finite, and how the training ended."""
    values = loss.double().cpu().numpy().copy()
    lost = ~np.isfinite(values)
    if not lost.any():
        return values, Ended("completed", start + len(values) - 1)
    first = int(lost.argmax())
    return values[:first], Ended("diverged", start + first)


def _snapshot(goal: Objective, step: int, params: Tensor) -> Snapshot:
    input_weights, output_weights = goal.weights(params)
    return Snapshot(step, params.double().cpu().numpy().copy(), input_weights, output_weights)


def _checkpoints(trajectory: Trajectory, member: int) -> Checkpoints:
    """The finite states; what follows a divergence is left out."""
    whole = [state for state in trajectory.checkpoints if bool(state.params[member].isfinite().all())]
    return Checkpoints(
        steps=np.array([int(state.done[member]) for state in whole]),
        params=np.stack([state.params[member].cpu().numpy() for state in whole]),
        slots={name: np.stack([state.slots[name][member].cpu().numpy() for state in whole]) for name in whole[0].slots},
    )


def _anatomy(seen: Dissection, member: int, first: int, length: int) -> Mapping[str, Mapping[str, Array]]:
    """One member's window, cut where its numbers end: the last step has no next gradient, so it is not in it."""
    parts = {
        "loss": seen.loss[:length, member],
        "sharpness": seen.sharpness[:length, member],
        "residual": seen.residual[:length, member],
        "swing": seen.swing[:length, member],
        "next_swing": seen.next_swing[:length, member],
    }
    arrays = {name: part.double().cpu().numpy().copy() for name, part in parts.items()}
    finite = np.logical_and.reduce([np.isfinite(a).reshape(len(a), -1).all(1) for a in arrays.values()])
    length = int(finite.argmin()) if not finite.all() else length
    steps = first + np.arange(length, dtype=np.float64)
    return {"anatomy": {"steps": steps, **{name: array[:length] for name, array in arrays.items()}}}


def _sharpness(run: Run, steps: Array, values: Tensor, residuals: Tensor) -> Mapping[str, Mapping[str, Array]]:
    record = {
        "steps": steps.astype(np.float64),
        "sharpness": values.double().cpu().numpy()[:, None],
        "residual": residuals.double().cpu().numpy()[:, None],
    }
    return {**run.records, "sharpness": record}


def _rate_factor(setting: Setting) -> float:
    assert isinstance(setting.intervention, LowerRate)
    return setting.intervention.factor


def _required(value: T | None) -> T:
    if value is None:
        raise ValueError("a fork or probe was planned for a training that cannot be resumed")
    return value
