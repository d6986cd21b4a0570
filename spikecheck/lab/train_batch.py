"""Trains one tile: the only place where recipes become tensors and tensors become runs."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from spikecheck.core.recipe import Recipe
from spikecheck.core.spike import SpikeDefinition
from spikecheck.lab.batch import Batch, Trained
from spikecheck.lab.batching import compiles, padded
from spikecheck.lab.forks import forked
from spikecheck.lab.host import on_host
from spikecheck.lab.probes import measurement
from spikecheck.lab.run_records import checkpoints_of, run_of
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
    """Train a tile of recipes of one signature and probe, filled up to `size` members, or to a tile's on the CPU.

    It is a whole training, a fork, or a probe of what was trained before. `parents` are the trainings that the recipes start
    from, empty where they are plain trainings; `partners` the trainings that exchanges take from, empty where there are none.

    Raises:
        Coupled: once, when an optimizer turns out to need an instance a member; the next call gives it one.
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
    """From the initialisation to the end, with the states from which it can be resumed."""
    start = begin(batch.objective, batch.rule, batch.objective.initial(batch.seeds), batch.lr)
    until = torch.full_like(start.done, batch.setting.steps)
    trajectory = train(batch.objective, batch.rule, start, until, tick, batch.stride, gradients=batch.gradients)
    used = on_host(replace(trajectory.end, params=batch.rule.evaluated(trajectory.end)))
    trajectory = on_host(trajectory)
    evaluated = replace(trajectory, end=used)
    return [
        Trained(
            run_of(recipe, batch.objective, evaluated, member, 0, SpikeDefinition()), checkpoints_of(trajectory, member)
        )
        for member, recipe in enumerate(batch.recipes[: batch.wanted])
    ]


def _forks(batch: Batch, parents: Sequence[Trained], partners: Sequence[Trained], tick: Tick) -> list[Trained]:
    """Each from its parent's state at the fork, with what its probe records on the way."""
    forks = forked(batch, parents, partners, tick)
    trajectory, records = measurement(batch.recipes[0].probe).of_forks(forks, tick)
    trajectory, definition = on_host(trajectory), forks.intervention.definition
    return [
        Trained(run_of(recipe, batch.objective, trajectory, m, forks.starts[m], definition, records[m]))
        for m, recipe in enumerate(batch.recipes[: batch.wanted])
    ]


def _filled(some: Sequence[Trained], size: int) -> list[Trained]:
    """As many as there are members, with copies of the first; none where there are none."""
    return [*some, *list(some[:1]) * (size - len(some))]
