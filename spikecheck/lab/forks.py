"""How forks are trained: where a fork leaves its parent, what its intervention changes there, and how it continues."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from spikecheck.core.intervention import (
    Continue,
    Exchange,
    Fork,
    FreezeOutside,
    Hold,
    Inject,
    Jitter,
    LowerRate,
    Retune,
    annealing_steps,
    own_steps,
)
from spikecheck.lab.batch import Batch, required
from spikecheck.lab.fork_traits import fork_step
from spikecheck.lab.trained import Trained
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.retuned import carried_over, retuned, without_momentum
from spikecheck.optimizers.rules import UpdateRule
from spikecheck.training.balance import BalanceObserver
from spikecheck.training.constrained import ConstrainedGradient
from spikecheck.training.displacement import exchanged, risen
from spikecheck.training.dissection import top_directions
from spikecheck.training.gradients import Gradients, followed, full_batch
from spikecheck.training.loop import Tick, Trajectory, train

F = TypeVar("F", bound=Fork)


@dataclass(frozen=True)
class ForkedBatch:
    """The members of a batch at their fork points, after the intervention has changed them. Axes: B members, P parameters."""

    batch: Batch
    """Its `gradients` are those that the fork's own steps follow."""
    intervention: Fork
    ensemble: Ensemble
    starts: Sequence[int]
    """The step at which each member forks."""
    along: Tensor | None
    """The only direction along which parameters may move, [B, P]; None where all parameters may move."""

    @property
    def steps(self) -> int:
        """Steps of the fork itself, without its annealing."""
        return own_steps(self.intervention)

    def trained(self, tick: Tick, watch: BalanceObserver | None = None) -> Trajectory:
        """Train the fork's own steps, then its annealing steps, which have neither intervention nor noise."""
        batch, seen, plain = self.batch, self.batch.gradients, full_batch(self.batch.objective)
        if watch is not None:
            seen, plain = watch.over(seen), watch.over(plain)
        until = self.ensemble.done + self.steps
        own = train(batch.objective, batch.rule, self.ensemble, until, tick, batch.stride, self.along, seen)
        steps = annealing_steps(self.intervention)
        if not steps:
            return own
        start = replace(own.end, lr=batch.lr.to(own.end.lr) * self.intervention.anneal_factor)
        until, stride = own.end.done + steps, batch.stride_of(steps)
        rest = train(batch.objective, batch.rule, start, until, tick, stride, gradients=plain)
        return Trajectory(torch.cat([own.loss[:-1], rest.loss]), own.checkpoints + rest.checkpoints, rest.end)


class Departure(Generic[F]):
    """How one kind of intervention changes the parent's training. The defaults change nothing."""

    def __init__(self, intervention: F) -> None:
        self.intervention = intervention

    def start(self, batch: Batch, ensemble: Ensemble, partners: Sequence[Trained]) -> Ensemble:
        """The state from which the fork continues."""
        return ensemble

    def direction(self, batch: Batch, ensemble: Ensemble) -> Tensor | None:
        """The only direction along which parameters may move, [B, P]; None where all parameters may move."""
        return None

    def gradients(self, batch: Batch) -> Gradients:
        """The gradients that the fork's own steps follow."""
        return batch.gradients

    def rule(self, batch: Batch) -> UpdateRule:
        """The update rule from the fork on, annealing included."""
        return batch.rule


class _LowerRate(Departure[LowerRate]):
    def start(self, batch: Batch, ensemble: Ensemble, partners: Sequence[Trained]) -> Ensemble:
        return ensemble.at_rate(self.intervention.factor)


class _FreezeOutside(Departure[FreezeOutside]):
    def direction(self, batch: Batch, ensemble: Ensemble) -> Tensor:
        return top_directions(batch.objective, ensemble, 1)[:, 0]


class _Jitter(Departure[Jitter]):
    def gradients(self, batch: Batch) -> Gradients:
        return followed(batch.objective, batch.seeds, self.intervention.noise)


class _Hold(Departure[Hold]):
    def gradients(self, batch: Batch) -> Gradients:
        return ConstrainedGradient(batch.objective, batch.gradients, self.intervention.every, self.intervention.level)


class _Inject(Departure[Inject]):
    def start(self, batch: Batch, ensemble: Ensemble, partners: Sequence[Trained]) -> Ensemble:
        direction = top_directions(batch.objective, ensemble, self.intervention.rank)[:, -1]
        displaced = risen(batch.objective, ensemble.params, direction, self.intervention.rise)
        return replace(ensemble, params=displaced).at_rate(self.intervention.factor)


class _Exchange(Departure[Exchange]):
    def start(self, batch: Batch, ensemble: Ensemble, partners: Sequence[Trained]) -> Ensemble:
        direction = top_directions(batch.objective, ensemble, 1)[:, 0]
        return replace(ensemble, params=exchanged(ensemble.params, batch.ends(partners), direction))


class _Retune(Departure[Retune]):
    def start(self, batch: Batch, ensemble: Ensemble, partners: Sequence[Trained]) -> Ensemble:
        emptied = without_momentum(ensemble) if self.intervention.empties_momentum else ensemble
        return carried_over(emptied, batch.rule, self.rule(batch))

    def rule(self, batch: Batch) -> UpdateRule:
        return retuned(batch.rule, dict(self.intervention.numbers))


_DEPARTURES: dict[type[Fork], type[Departure[Any]]] = {
    Continue: Departure,
    LowerRate: _LowerRate,
    FreezeOutside: _FreezeOutside,
    Jitter: _Jitter,
    Hold: _Hold,
    Inject: _Inject,
    Exchange: _Exchange,
    Retune: _Retune,
}


def departure(intervention: Fork) -> Departure[Any]:
    """The departure that carries out this intervention."""
    return _DEPARTURES[type(intervention)](intervention)


def forked(batch: Batch, parents: Sequence[Trained], partners: Sequence[Trained], tick: Tick) -> ForkedBatch:
    """Bring every member of a batch to its fork point and apply the intervention there."""
    intervention = required(batch.setting.intervention)
    starts = [required(fork_step(r, p.run)) for r, p in zip(batch.recipes, parents, strict=True)]
    parted, how = batch.resumed(parents, starts, tick), departure(intervention)
    along = how.direction(batch, parted)
    ensemble = how.start(batch, parted, partners)
    changed = replace(batch, gradients=how.gradients(batch), rule=how.rule(batch))
    return ForkedBatch(changed, intervention, ensemble, starts, along)
