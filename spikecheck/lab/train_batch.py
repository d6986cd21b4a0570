"""Trains one tile: the only place where recipes become tensors and tensors become runs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from spikecheck.core.intervention import (
    Exchange,
    Fork,
    FreezeOutside,
    Hold,
    Inject,
    Jitter,
    LowerRate,
    annealing_steps,
    own_steps,
)
from spikecheck.core.probe import Anatomy, Balance, Directions, Finish, SharpnessTrace, Stability, Trail
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Array, Run
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike, SpikeDefinition
from spikecheck.curvature.linearised_update import Multipliers, linearisable, multipliers
from spikecheck.lab.batching import compiles, member_steps, padded
from spikecheck.lab.host import on_host
from spikecheck.lab.memory_estimate import CHECKPOINTED
from spikecheck.lab.run_codec import Checkpoints
from spikecheck.lab.run_records import (
    Record,
    anatomy_of,
    balance_of,
    checkpoints_of,
    directions_of,
    finish_of,
    followed_of,
    multipliers_of,
    run_of,
    sharpness_of,
    snapshot,
    trail_of,
)
from spikecheck.measures.spikes import spikes
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.instances import Coupled
from spikecheck.optimizers.rules import UpdateRule
from spikecheck.training.balance import BalanceObserver
from spikecheck.training.constrained import ConstrainedGradient
from spikecheck.training.displacement import exchanged, risen
from spikecheck.training.dissection import (
    EigendirectionResponse,
    directions,
    dissect,
    random_directions,
    top_directions,
    trace,
    trail,
)
from spikecheck.training.gradients import Gradients, exact, followed, full_batch
from spikecheck.training.loop import Tick, Trajectory, begin, rates, train
from spikecheck.training.rule_for import rule_for
from spikecheck.training.with_sharpness import follow

T = TypeVar("T")

_SETTLED = 1e-3
"""Change of a reversal that no longer counts: the closest margin that a gate has for it is 50 times as large."""
_STRIDE = 50


@dataclass(frozen=True)
class Trained:
    """A run, and the exact states from which it can be gone on with."""

    run: Run
    checkpoints: Checkpoints | None = None


@dataclass(frozen=True)
class _Tile:
    """One padded tile ready to train."""

    recipes: list[Recipe]
    objective: Objective
    rule: UpdateRule
    lr: Tensor
    gradients: Gradients
    device: str
    asked: int
    """Recipes that somebody asked for; the others are copies that fill the tile, and nothing is made of them."""

    @property
    def setting(self) -> Setting:
        """The first member's: the others share its signature."""
        return self.recipes[0].setting

    @property
    def stride(self) -> int:
        """Updates between two checkpoints: close enough to resume cheaply, few enough to keep."""
        return self.stride_of(self.setting.steps)

    def stride_of(self, steps: int) -> int:
        """The same of a stretch of so many updates."""
        return checkpoint_stride(steps, self.goal.size * (1 + len(self.rule.slots)))


def checkpoint_stride(steps: int, numbers: int) -> int:
    """Updates between two checkpoints of `numbers` numbers: the fewest fifties with which all of them take 512 KiB at most.

    >>> checkpoint_stride(3_000, 60), checkpoint_stride(30_000, 180), checkpoint_stride(3_000, 3_090)
    (50, 100, 150)
    """
    return _STRIDE * max(1, math.ceil(steps * numbers / _STRIDE / CHECKPOINTED))


def train_tile(
    tile: Sequence[Recipe],
    parents: Sequence[Trained],
    device: str,
    tick: Tick,
    partners: Sequence[Trained] = (),
    size: int | None = None,
) -> list[Trained]:
    """Carry out a tile of recipes of one signature and probe, filled up to `size` members, or to a tile's on the CPU.

    `parents` are what the recipes say must be there first, empty where they are plain trainings; `partners` the trainings that
    exchanges take from, empty where there are none.
    """
    try:
        return _trained_tile(tile, parents, device, tick, partners, size)
    except Coupled:  # by now its optimizer is known to need an instance a member
        return _trained_tile(tile, parents, device, tick, partners, size)


def _trained_tile(
    tile: Sequence[Recipe],
    parents: Sequence[Trained],
    device: str,
    tick: Tick,
    partners: Sequence[Trained],
    size: int | None,
) -> list[Trained]:
    recipes = padded(tile, size)
    parents, partners = ([*some, *list(some[:1]) * (len(recipes) - len(some))] for some in (parents, partners))
    settings = [recipe.setting for recipe in recipes]
    objective = build_objective(settings, device)
    objective = objective if compiles(recipes[0]) else objective.uncompiled()
    lr = torch.tensor([setting.lr for setting in settings], dtype=torch.float64, device=device)
    seeds = [recipe.seed for recipe in recipes]
    laid = _Tile(recipes, objective, rule_for(objective, seeds), lr, followed(objective, seeds), device, len(tile))
    probe = recipes[0].probe
    if isinstance(probe, Directions) and probe.at == "end":
        trained = _look_at_ends(laid, parents, probe)
    elif laid.setting.intervention is not None:
        trained = _fork(laid, parents, partners, tick)
    elif probe is None:
        trained = _trunk(laid, tick)
    elif isinstance(probe, Anatomy):
        trained = _autopsy(laid, parents, tick, probe)
    elif isinstance(probe, Directions):
        trained = _look(laid, parents, tick, probe)
    elif isinstance(probe, Stability):
        trained = _linearised(laid, parents, tick, probe)
    else:
        trained = _retrace(laid, parents, tick)
    return trained


def fork_step(recipe: Recipe, parent: Run) -> int | None:
    """Where a fork leaves its parent: None where the parent has no spike with room before it, or no end."""
    intervention = recipe.setting.intervention
    if intervention is not None and intervention.at == "end":
        return None if parent.diverged else parent.ended.step
    found = spikes(parent.loss, intervention.definition) if intervention else ()
    if not found or intervention is None:
        return None
    step = found[0].onset - (intervention.definition.lead if intervention.at == "before_onset" else 0)
    return step if step >= 0 else None


def look_step(probe: Directions, parent: Run) -> int | None:
    """The step at which a run is looked at: None where it never comes there."""
    if parent.diverged:
        return None
    if probe.at == "end":
        return parent.ended.step
    found = spikes(parent.loss, probe.definition)
    return getattr(found[0], probe.at) if found else None


# ---- the kinds of record ---------------------------------------------------------------------------------------------


def _trunk(tile: _Tile, tick: Tick) -> list[Trained]:
    params = tile.goal.initial([recipe.seed for recipe in tile.recipes])
    ensemble = begin(tile.goal, tile.rule, params, tile.lr)
    until = torch.full_like(ensemble.done, tile.setting.steps)
    trajectory = train(tile.goal, tile.rule, ensemble, until, tick, tile.stride, gradients=tile.gradients)
    used = replace(trajectory.end, params=tile.rule.evaluated(trajectory.end))
    trajectory, used = on_host(trajectory), on_host(used)
    return [
        Trained(
            run_of(recipe, tile.goal, replace(trajectory, end=used), m, 0, SpikeDefinition()),
            checkpoints_of(trajectory, m),
        )
        for m, recipe in enumerate(tile.recipes[: tile.asked])
    ]


def _fork(tile: _Tile, parents: Sequence[Trained], partners: Sequence[Trained], tick: Tick) -> list[Trained]:
    intervention = tile.setting.intervention
    assert intervention is not None
    starts = [_required(fork_step(r, p.run)) for r, p in zip(tile.recipes, parents, strict=True)]
    parted = _resume(tile, parents, starts, tick)
    along = top_directions(tile.goal, parted, 1)[:, 0] if isinstance(intervention, FreezeOutside) else None
    ensemble = _intervened(tile, parted, intervention, partners)
    if isinstance(intervention, Jitter):
        noisy = followed(tile.goal, [recipe.seed for recipe in tile.recipes], intervention.noise)
        tile = replace(tile, gradients=noisy)
    if isinstance(intervention, Hold):
        tile = replace(
            tile, gradients=ConstrainedGradient(tile.goal, tile.gradients, intervention.every, intervention.level)
        )
    trajectory, records = _followed_fork(tile, ensemble, starts, intervention, along, tick)
    trajectory = on_host(trajectory)
    return [
        Trained(run_of(recipe, tile.goal, trajectory, m, starts[m], intervention.definition, records[m]))
        for m, recipe in enumerate(tile.recipes[: tile.asked])
    ]


def _intervened(tile: _Tile, ensemble: Ensemble, intervention: Fork, partners: Sequence[Trained]) -> Ensemble:
    """The state at the fork, changed as the intervention says."""
    if isinstance(intervention, LowerRate):
        return ensemble.at_rate(intervention.factor)
    if isinstance(intervention, Inject):
        direction = top_directions(tile.goal, ensemble, intervention.rank)[:, -1]
        displaced = risen(tile.goal, ensemble.params, direction, intervention.rise)
        return replace(ensemble, params=displaced).at_rate(intervention.factor)
    if isinstance(intervention, Exchange):
        direction = top_directions(tile.goal, ensemble, 1)[:, 0]
        ends = _ends(partners).to(ensemble.params)
        return replace(ensemble, params=exchanged(ensemble.params, ends, direction))
    return ensemble


def _followed_fork(
    tile: _Tile, ensemble: Ensemble, starts: Sequence[int], intervention: Fork, along: Tensor | None, tick: Tick
) -> tuple[Trajectory, list[Record]]:
    """The fork's training, and what its probe saw."""
    members = range(tile.asked)
    probe = tile.recipes[0].probe
    if isinstance(probe, Anatomy):
        steps = own_steps(intervention)
        seen = dissect(
            tile.goal,
            tile.rule,
            ensemble,
            ensemble.done + steps,
            probe.pairs,
            tick,
            along=along,
            gradients=tile.gradients,
            outputs=probe.outputs,
        )
        there = on_host(seen)
        return Trajectory(seen.loss, (ensemble,), seen.end), [anatomy_of(there, m, starts[m], steps) for m in members]
    watch = BalanceObserver(tile.goal, probe.every, probe.since) if isinstance(probe, Balance) else None
    trajectory = _trained_fork(tile, ensemble, intervention, along, watch, tick)
    if watch is not None:
        looks = on_host(watch.seen())
        return trajectory, [balance_of(looks, m) for m in members]
    if isinstance(probe, Trail):
        points = on_host(trail(tile.goal, tile.rule, trajectory.checkpoints))
        states = on_host(trajectory.checkpoints)
        return trajectory, [trail_of(tile.goal, states, points, m) for m in members]
    return trajectory, [{} for _ in members]


def _trained_fork(
    tile: _Tile, ensemble: Ensemble, intervention: Fork, along: Tensor | None, watch: BalanceObserver | None, tick: Tick
) -> Trajectory:
    """The fork's own steps, and those of its annealing, which neither intervention nor noise touches."""
    seen, plain = tile.gradients, full_batch(tile.goal)
    if watch is not None:
        seen, plain = watch.over(seen), watch.over(plain)
    until = ensemble.done + own_steps(intervention)
    own = train(tile.goal, tile.rule, ensemble, until, tick, tile.stride, along, seen)
    steps = annealing_steps(intervention)
    if not steps:
        return own
    start = replace(own.end, lr=tile.lr.to(own.end.lr) * intervention.anneal_factor)
    stride = tile.stride_of(steps)
    rest = train(tile.goal, tile.rule, start, own.end.done + steps, tick, stride, gradients=plain)
    return Trajectory(torch.cat([own.loss[:-1], rest.loss]), own.checkpoints + rest.checkpoints, rest.end)


def _autopsy(tile: _Tile, parents: Sequence[Trained], tick: Tick, probe: Anatomy) -> list[Trained]:
    found = [spikes(parent.run.loss, probe.definition)[0] for parent in parents]
    windows = [_window(probe, spike, parent.run) for spike, parent in zip(found, parents, strict=True)]
    ensemble = _resume(tile, parents, [first for first, _ in windows], tick)
    until = torch.tensor([last for _, last in windows], device=tile.device)
    seen = dissect(
        tile.goal,
        tile.rule,
        ensemble,
        until,
        probe.pairs,
        tick,
        _landmarks(found, tile.device),
        gradients=tile.gradients,
        outputs=probe.outputs,
    )
    seen = on_host(seen)
    trained = []
    for member, (spike, (first, last)) in enumerate(list(zip(found, windows, strict=True))[: tile.asked]):
        parent = parents[member].run
        points = {"onset": spike.onset, "peak": spike.peak, "recovery": spike.recovery}
        captured = {
            name: snapshot(tile.goal, step, seen.captured[name][member])
            for name, step in points.items()
            if step is not None and first <= step <= last
        }
        run = replace(
            parent,
            spikes=spikes(parent.loss, probe.definition),
            snapshots={**parent.snapshots, **captured},
            records=anatomy_of(seen, member, first, last - first),
        )
        trained.append(Trained(run))
    return trained


def _look_at_ends(tile: _Tile, parents: Sequence[Trained], probe: Directions) -> list[Trained]:
    found = on_host(_seen(tile, _ends(parents).to(tile.lr.device, tile.goal.train.x.dtype), probe))
    return [Trained(replace(p.run, records=directions_of(found, m))) for m, p in enumerate(parents[: tile.asked])]


def _look(tile: _Tile, parents: Sequence[Trained], tick: Tick, probe: Directions) -> list[Trained]:
    steps = [_required(look_step(probe, parent.run)) for parent in parents]
    there = _resume(tile, parents, steps, tick)
    found = on_host(_seen(tile, there.params, probe))
    return [Trained(replace(p.run, records=directions_of(found, m))) for m, p in enumerate(parents[: tile.asked])]


def _seen(tile: _Tile, params: Tensor, probe: Directions) -> EigendirectionResponse:
    seeds = [recipe.seed for recipe in tile.recipes]
    random = random_directions(seeds, probe.random, params) if probe.random else None
    return directions(tile.goal, params, probe.pairs, random)


def _linearised(tile: _Tile, parents: Sequence[Trained], tick: Tick, probe: Stability) -> list[Trained]:
    """At every landmark of the first spike; a member whose spike has no such landmark stands in at its onset, unrecorded."""
    first = [spikes(parent.run.loss, probe.definition)[0] for parent in parents]
    records: list[dict[str, Array]] = [{} for _ in parents]
    for name in ("onset", "peak", "recovery"):
        steps = [getattr(spike, name) for spike in first]
        there = _resume(
            tile, parents, [s.onset if at is None else at for s, at in zip(first, steps, strict=True)], tick
        )
        found = on_host(multipliers(tile.goal, tile.rule, there))
        for member, record in enumerate(records):
            if steps[member] is not None:
                record.update(multipliers_of(found, member, name))
    pairs = list(zip(parents, records, strict=True))[: tile.asked]
    return [Trained(replace(p.run, records={"stability": record})) for p, record in pairs]


def _retrace(tile: _Tile, parents: Sequence[Trained], tick: Tick) -> list[Trained]:
    kept = [_required(parent.checkpoints) for parent in parents]
    probe = tile.recipes[0].probe
    if isinstance(probe, Finish):
        return _finished(tile, parents, kept, probe, tick)
    if isinstance(probe, Balance):
        return _balanced(tile, parents, probe, tick)
    if isinstance(probe, SharpnessTrace) and probe.every_step:
        return _every_step(tile, parents, kept, tick)
    steps = kept[0].steps
    states = tuple(_state(tile, kept, [index] * len(kept)) for index in range(len(steps)))
    if isinstance(probe, Trail):
        seen = on_host(trail(tile.goal, tile.rule, states))
        states = on_host(states)
        records = [trail_of(tile.goal, states, seen, m) for m in range(tile.asked)]
    else:
        values, residuals = on_host(trace(tile.goal, tile.rule, states))
        records = [sharpness_of(steps, values[:, m], residuals[:, m]) for m in range(tile.asked)]
    return [Trained(replace(p.run, records=record)) for p, record in zip(parents, records, strict=False)]


def _every_step(tile: _Tile, parents: Sequence[Trained], kept: Sequence[Checkpoints], tick: Tick) -> list[Trained]:
    """Trained once more from the start, to the same bits."""
    start = _state(tile, kept, [0] * len(kept))
    until = torch.tensor([parent.run.ended.step for parent in parents], device=tile.device)
    gradients = None if exact(tile.setting) else tile.gradients
    seen = on_host(follow(tile.goal, tile.rule, start, until, tick, gradients))
    return [
        Trained(replace(parent.run, records=followed_of(seen, member, parent.run.ended.step)))
        for member, parent in enumerate(parents[: tile.asked])
    ]


def _balanced(tile: _Tile, parents: Sequence[Trained], probe: Balance, tick: Tick) -> list[Trained]:
    """Trained once more from where the looks begin, to the same bits."""
    start = _resume(tile, parents, [probe.since] * len(parents), tick)
    until = torch.tensor([parent.run.ended.step for parent in parents], device=tile.device)
    watch = BalanceObserver(tile.goal, probe.every)
    train(tile.goal, tile.rule, start, until, tick, gradients=watch.over(tile.gradients))
    looks = on_host(watch.seen())
    return [Trained(replace(p.run, records=balance_of(looks, m))) for m, p in enumerate(parents[: tile.asked])]


def _finished(
    tile: _Tile, parents: Sequence[Trained], kept: Sequence[Checkpoints], probe: Finish, tick: Tick
) -> list[Trained]:
    """Checkpoints of the last quarter, the first of all left out: an optimizer that has not stepped has no state."""
    count = len(kept[0].steps)
    first = max(1, 3 * count // 4)
    late = sorted({round(at) for at in np.linspace(first, count - 1, probe.looks)}) if count > 1 else []
    early: list[Multipliers] = []
    a_look = member_steps(tile.recipes) // (probe.period + probe.looks)
    if not (probe.edges and linearisable(tile.rule)):
        late = []
    elif tile.setting.steps >= probe.early + probe.period:
        there = _resume(tile, parents, [probe.early] * len(parents), tick)
        for done in range(1, probe.period + 1):
            early.append(_edge(tile, there, tick))
            tick(a_look)
            until = torch.full((len(parents),), probe.early + done, device=tile.device)
            there = train(tile.goal, tile.rule, there, until, tick, gradients=tile.gradients).end
    looks = []
    for index in late:
        looks.append(_edge(tile, _state(tile, kept, [index] * len(kept)), tick))
        tick(a_look)
    held_out = on_host(tile.goal.held_out(_ends(parents).to(tile.lr.device, tile.goal.train.x.dtype)))
    early, looks = on_host(early), on_host(looks)
    return [
        Trained(replace(parent.run, records=finish_of(early, kept[0].steps[late], looks, held_out, member)))
        for member, parent in enumerate(parents[: tile.asked])
    ]


def _edge(tile: _Tile, there: Ensemble, tick: Tick) -> Multipliers:
    return multipliers(tile.goal, tile.rule, there, differences=True, settled=_SETTLED, tick=lambda: tick(0))


# ---- from stored states to ensembles -----------------------------------------------------------------------------------


def _resume(tile: _Tile, parents: Sequence[Trained], steps: Sequence[int], tick: Tick) -> Ensemble:
    """Every parent's exact state at its own step: from the checkpoint before it, trained on unrecorded."""
    kept = [_required(parent.checkpoints) for parent in parents]
    nearest = [int(np.searchsorted(k.steps, step, side="right")) - 1 for k, step in zip(kept, steps, strict=True)]
    until = torch.tensor(list(steps), device=tile.device)
    return train(tile.goal, tile.rule, _state(tile, kept, nearest), until, tick, gradients=tile.gradients).end


def _ends(trained: Sequence[Trained]) -> Tensor:
    """Where trainings ended, [B, P] in float64."""
    return torch.stack([torch.tensor(one.run.snapshots["end"].params) for one in trained])


def _state(tile: _Tile, kept: Sequence[Checkpoints], index: Sequence[int]) -> Ensemble:
    def gathered(rows: list[Array]) -> Tensor:
        return torch.from_numpy(np.stack(rows)).to(tile.device)

    params = gathered([k.params[i] for k, i in zip(kept, index, strict=True)])
    return Ensemble(
        params=params,
        slots={
            name: gathered([k.slots[name][i] for k, i in zip(kept, index, strict=True)]) for name in tile.rule.slots
        },
        done=torch.tensor([int(k.steps[i]) for k, i in zip(kept, index, strict=True)], device=tile.device),
        lr=rates(tile.goal, tile.lr, params),
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


def _required(value: T | None) -> T:
    if value is None:
        raise ValueError("a fork or probe was planned for a training that cannot be resumed")
    return value
