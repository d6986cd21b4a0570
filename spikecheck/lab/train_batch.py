"""Trains one tile: the only place where recipes become tensors and tensors become runs."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from spikecheck.core.recipe import Recipe
from spikecheck.core.spike import SpikeDefinition
from spikecheck.lab.batch import Batch
from spikecheck.lab.batching import compiles, padded
from spikecheck.lab.forks import forked
from spikecheck.lab.host import on_host
from spikecheck.lab.probes import measurement
from spikecheck.lab.run_records import checkpoints_of, run_of
from spikecheck.lab.trained import Trained
from spikecheck.objective.objective import build_objective
from spikecheck.training.gradients import followed
from spikecheck.training.loop import Tick, begin, train
from spikecheck.training.rule_for import rule_for


def train_tile(
    tile: Sequence[Recipe],
    parents: Sequence[Trained],
    device: str,
    tick: Tick,
    partners: Sequence[Trained] = (),
    size: int | None = None,
) -> list[Trained]:
    """Train a tile of recipes that share one signature and one probe: whole trainings, forks, or probes of earlier trainings.

    `parents` are the trainings that the recipes start from; plain trainings have none. `partners` are the trainings that
    exchanges take parameters from; other recipes have none. `tick` receives the member-steps made and may raise to stop.
    The tile is filled up to `size` members; without `size`, to the tile size of a CPU.

    Raises:
        Coupled: once, when an optimizer turns out to need one instance per member; the next call uses one per member.
    """
    batch = _batch(tile, device, size)
    parents, partners = (_filled(some, len(batch.recipes)) for some in (parents, partners))
    probe, intervention = batch.recipes[0].probe, batch.setting.intervention
    if intervention is not None and not (probe and probe.reads_ends):
        return _forks(batch, parents, partners, tick)
    if probe is None:
        return _whole(batch, tick)
    return [Trained(run) for run in measurement(probe).of_runs(batch, parents, tick)]


def _batch(tile: Sequence[Recipe], device: str, size: int | None) -> Batch:
    recipes = padded(tile, size)
    settings = [recipe.setting for recipe in recipes]
    objective = build_objective(settings, device)
    objective = objective if compiles(recipes[0]) else objective.uncompiled()
    seeds = [recipe.seed for recipe in recipes]
    lr = torch.tensor([setting.lr for setting in settings], dtype=torch.float64, device=device)
    return Batch(recipes, objective, rule_for(objective, seeds), lr, followed(objective, seeds), device, len(tile))


def _whole(batch: Batch, tick: Tick) -> list[Trained]:
    """Train from initialisation to the end and keep the states from which the training can be resumed."""
    start = begin(batch.objective, batch.rule, batch.objective.initial(batch.seeds), batch.lr)
    until = torch.full_like(start.done, batch.setting.steps)
    trajectory = train(batch.objective, batch.rule, start, until, tick, batch.stride, gradients=batch.gradients)
    used = on_host(replace(trajectory.end, params=batch.rule.evaluated(trajectory.end)))
    trajectory = on_host(trajectory)
    evaluated = replace(trajectory, end=used)
    checkpoints = checkpoints_of(trajectory, batch.wanted)
    return [
        Trained(run_of(recipe, batch.objective, evaluated, member, 0, SpikeDefinition()), checkpoints[member])
        for member, recipe in enumerate(batch.recipes[: batch.wanted])
    ]


def _forks(batch: Batch, parents: Sequence[Trained], partners: Sequence[Trained], tick: Tick) -> list[Trained]:
    """Train each fork from its parent's state, and record what its probe measures on the way."""
    forks = forked(batch, parents, partners, tick)
    trajectory, records = measurement(batch.recipes[0].probe).of_forks(forks, tick)
    trajectory, definition = on_host(trajectory), forks.intervention.definition
    return [
        Trained(run_of(recipe, batch.objective, trajectory, m, forks.starts[m], definition, records[m]))
        for m, recipe in enumerate(batch.recipes[: batch.wanted])
    ]


def _filled(some: Sequence[Trained], size: int) -> list[Trained]:
    """The trainings filled up to `size` with copies of the first; an empty sequence stays empty."""
    return [*some, *list(some[:1]) * (size - len(some))]
