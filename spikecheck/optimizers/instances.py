"""Live optimizers of an ensemble: one instance per member, or a single instance for all members' parameters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from spikecheck.models.parameter_layout import Span
from spikecheck.optimizers.driven import (
    Driven,
    OptimizerFactory,
    accumulate,
    known_loss,
    own_random_numbers,
    same_bits,
    seed_draws,
)
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.state_dict import count, filled_as, leaves, load, numbers_of, packed

Evaluate = Callable[[int, Tensor, int], tuple[float, Tensor]]
"""A member's loss and gradient [P] for its next update, from its number, its parameters [P] and the updates made."""


class Coupled(Exception):
    """One instance for all members gave other numbers than one instance per member."""


@dataclass(frozen=True)
class Abilities:
    """An optimizer's capabilities, found with artificial gradients over as many steps as its trainings have."""

    together: bool
    """Whether all members may share one instance, unless a training shows otherwise."""
    resumes: str
    """Why a training cannot be resumed from a stored state; empty where it can."""
    closure: bool
    """Whether `step` needs a closure."""
    averages: bool
    """Whether it has `train()` and `eval()`, and so evaluates other parameters than it trains."""
    numbers: int
    """Numbers in a member's state. The last one is the factor of the learning rate at which it was stored."""
    template: Any = field(compare=False)
    """A state_dict, for its structure."""


@dataclass(frozen=True)
class Pace:
    """The members' learning rates: those that their optimizers were made with, and whether a schedule changes them."""

    rates: tuple[float, ...]
    """Every member's learning rate in its setting."""
    scheduled: bool = False

    def factors(self, lr: Float[Tensor, " B"]) -> list[float]:
        """The present learning rates divided by `rates`."""
        return [now / full for now, full in zip(lr.tolist(), self.rates, strict=True)]

    def of(self, members: Sequence[int]) -> "Pace":
        """The rates of these members."""
        return Pace(tuple(self.rates[member] for member in members), self.scheduled)


@runtime_checkable
class Live(Protocol):
    """Live optimizers of an ensemble. Axes: B members, P parameters, Q numbers of a member's state."""

    def step(
        self,
        params: Float[Tensor, "B P"] | None,
        grads: Float[Tensor, "B P"],
        lr: Float[Tensor, " B"],
        done: Sequence[int],
        moving: Bool[Tensor, " B"] | None,
    ) -> Float[Tensor, "B P"]:
        """The parameters after one update of the members that move (None: all).

        Without `params`, the update starts from the result of the last one.
        """

    def state(self) -> Float[Tensor, "B Q"]:
        """Every member's state as numbers."""

    def evaluated(self, params: Tensor) -> Float[Tensor, "B P"]:
        """The parameters that the optimizer evaluates."""


class PerMember:
    """One optimizer per member."""

    def __init__(
        self,
        order: OptimizerFactory,
        able: Abilities,
        ensemble: Ensemble,
        pace: Pace,
        seeds: Sequence[int],
        evaluate: Evaluate | None,
    ) -> None:
        """`ensemble` has its parameters in torch's order; `seeds` determine the optimizers' random draws."""
        self._able, self._pace, self._seeds, self._evaluate = able, pace, seeds, evaluate
        self._rows = ensemble.params.clone()
        self._driven = [order.of(row, rate) for row, rate in zip(self._rows, pace.rates, strict=True)]
        self._factors = pace.factors(ensemble.lr)
        self._begun = [int(done) > 0 for done in ensemble.done]
        states = ensemble.slots.get("state")
        for member, one in enumerate(self._driven):
            stored = 1.0
            if self._begun[member] and states is not None and able.numbers:
                load(one.optimizer, able.template, states[member, :-1])
                stored = float(states[member, -1])
            if not pace.scheduled:
                one.scale(self._factors[member] / stored)

    def step(
        self,
        params: Float[Tensor, "B P"] | None,
        grads: Float[Tensor, "B P"],
        lr: Float[Tensor, " B"],
        done: Sequence[int],
        moving: Bool[Tensor, " B"] | None,
    ) -> Float[Tensor, "B P"]:
        """See `Live`."""
        if params is not None:
            self._rows.copy_(params)
            for one, row in zip(self._driven, self._rows, strict=True):
                one.put(row)
        grads = grads.clone()
        members = range(len(grads)) if moving is None else moving.nonzero().ravel().tolist()
        factors = self._pace.factors(lr) if self._pace.scheduled else self._factors
        with own_random_numbers(grads):
            for member in members:
                seed_draws(grads, self._seeds[member], done[member])
                one = self._driven[member]
                if self._pace.scheduled:
                    one.pace(factors[member])
                one.feed(grads[member])
                one.step(self._closure(member, done[member]) if self._able.closure else None)
                self._rows[member] = one.read()
                self._begun[member] = True
        self._factors = factors
        return self._rows.clone()

    def state(self) -> Float[Tensor, "B Q"]:
        """See `Live`. Zeros for a member that has not stepped; no numbers (Q = 0) where the state cannot be stored."""
        if self._able.resumes:
            return self._rows.new_zeros(len(self._rows), 0, dtype=torch.float64)
        state = torch.zeros(len(self._rows), self._able.numbers, dtype=torch.float64)
        for member, one in enumerate(self._driven):
            if self._begun[member]:
                state[member, :-1] = packed(one.optimizer, self._able.template)
                state[member, -1] = 1.0 if self._pace.scheduled else self._factors[member]
        return state.to(self._rows.device)

    def state_dict(self, member: int) -> dict[str, Any]:
        """The state_dict of one member's optimizer."""
        return self._driven[member].optimizer.state_dict()

    def evaluated(self, params: Tensor) -> Float[Tensor, "B P"]:
        """See `Live`."""
        for one, row in zip(self._driven, params, strict=True):
            one.put(row)
        return torch.stack([one.evaluate() for one in self._driven])

    def _closure(self, member: int, done: int) -> Callable[[], Tensor]:
        one, evaluate = self._driven[member], self._evaluate
        assert evaluate is not None

        def closure() -> Tensor:
            loss, gradient = evaluate(member, one.read(), done)
            one.feed(gradient)
            return known_loss(loss, gradient, one)

        return closure


class Shared:
    """One optimizer for all members, which must have made equally many updates at one learning rate.

    Two members also get optimizers of their own, which step along. If these give other numbers, the rule is not elementwise.
    """

    def __init__(
        self,
        order: OptimizerFactory,
        able: Abilities,
        ensemble: Ensemble,
        pace: Pace,
        seeds: Sequence[int],
        evaluate: Evaluate | None,
        watched: bool = True,
    ) -> None:
        """Arguments as for `PerMember`. Without `watched`, no members are compared: the rule is known to be elementwise."""
        self._able, self._pace = able, pace
        self._optimizer, self._tensor = order.of_all(ensemble.params, pace.rates[0])
        self._whole = Driven(order.path, (self._optimizer, [self._tensor]), ())
        self._columns = [] if able.resumes else list(_columns(able.template, order.spans))
        self._rested: dict[int, Tensor] = {}
        self._begun = int(ensemble.done[0]) > 0
        (self._factor, *_) = pace.factors(ensemble.lr)
        stored = 1.0
        if self._begun:
            self._load(ensemble.slots["state"], ensemble.params)
            stored = float(ensemble.slots["state"][0, -1]) if able.numbers else 1.0
        if not pace.scheduled:
            self._whole.scale(self._factor / stored)
        self._watched = sorted({0, ensemble.members - 1}) if watched else []
        if watched:
            part = ensemble.select(self._watched)
            self._own = PerMember(
                order, able, part, pace.of(self._watched), [seeds[m] for m in self._watched], evaluate
            )

    def step(
        self,
        params: Float[Tensor, "B P"] | None,
        grads: Float[Tensor, "B P"],
        lr: Float[Tensor, " B"],
        done: Sequence[int],
        moving: Bool[Tensor, " B"] | None,
    ) -> Float[Tensor, "B P"]:
        """See `Live`.

        Raises:
            Coupled: when a member gets other numbers than with its own optimizer, or when a random number is drawn.
        """
        before = self._tensor.detach().clone() if params is None else params
        resting = [] if moving is None else (~moving).nonzero().ravel().tolist()
        if newly := [member for member in resting if member not in self._rested]:
            # Shared counters continue, so the state of a member is saved at the moment it stops.
            now = self._now()
            self._rested |= {member: now[member].clone() for member in newly}
        if params is not None:
            self._tensor.detach().copy_(params)
        self._whole.zero_grad()
        accumulate(self._tensor, grads.clone())
        if self._pace.scheduled:
            (self._factor, *_) = self._pace.factors(lr)
            self._whole.pace(self._factor)
        with own_random_numbers(grads) as drawn:
            self._optimizer.step()
            if drawn():  # a draw shared by all members would not depend on each member's seed
                raise Coupled
        self._begun = True
        self._tensor.detach()[resting] = before[resting]
        stepped = self._tensor.detach().clone()
        self._compare(stepped, params, grads, lr, done, moving)
        return stepped

    def _compare(
        self,
        stepped: Tensor,
        params: Tensor | None,
        grads: Tensor,
        lr: Tensor,
        done: Sequence[int],
        moving: Tensor | None,
    ) -> None:
        if not (some := self._watched):
            return
        own = self._own.step(
            None if params is None else params[some],
            grads[some],
            lr[some],
            [done[member] for member in some],
            None if moving is None else moving[some],
        )
        if not same_bits(stepped[some], own):
            raise Coupled

    def state(self) -> Float[Tensor, "B Q"]:
        """See `Live`. For a member that has stopped, the state at which it stopped."""
        state = self._now()
        for member, numbers in self._rested.items():
            state[member] = numbers
        return state

    def evaluated(self, params: Tensor) -> Float[Tensor, "B P"]:
        """See `Live`."""
        self._tensor.detach().copy_(params)
        self._whole.switch("eval")
        return self._tensor.detach().clone()

    def _now(self) -> Float[Tensor, "B Q"]:
        members = len(self._tensor)
        rows = torch.zeros(members, self._able.numbers, dtype=torch.float64, device=self._tensor.device)
        if not self._begun or self._able.resumes:
            return rows
        state, stop = self._optimizer.state[self._tensor], 0
        for name, span, _, start, stop in self._columns:
            value = state[name]
            rows[:, start:stop] = numbers_of(value) if span is None else value[:, span.start : span.stop]
        pairs = zip(self._optimizer.param_groups, self._able.template["param_groups"], strict=True)
        collected = [numbers for group, pattern in pairs for numbers in _group_numbers(group, pattern)]
        rows[:, stop:-1] = torch.cat(collected)
        rows[:, -1] = 1.0 if self._pace.scheduled else self._factor
        return rows

    def _load(self, states: Float[Tensor, "B Q"], rows: Float[Tensor, "B P"]) -> None:
        """Load the members' states: arrays with one element per parameter differ by member, other values are shared."""
        state, stop = self._optimizer.state[self._tensor], 0
        for name, span, leaf, start, stop in self._columns:
            if span is None:
                state[name] = filled_as(leaf, iter([states[0, start:stop]]))
                continue
            if name not in state:
                state[name] = torch.zeros_like(rows, dtype=leaf.dtype)
            state[name][:, span.start : span.stop] = states[:, start:stop]
        pattern = self._able.template["param_groups"]
        rest = iter(states[0, stop:-1].split_with_sizes([count(leaf) for leaf in leaves(pattern)]))
        for group, filled in zip(self._optimizer.param_groups, filled_as(pattern, rest), strict=True):
            group.update({name: value for name, value in filled.items() if name != "params"})


def _columns(template: Any, spans: Sequence[Span]) -> Iterator[tuple[str, Span | None, Any, int, int]]:
    """Yield where the numbers of every tensor's state are: name, span, leaf, first column, and the column after the last.

    The span is None unless the state has one element per parameter.

    Raises:
        TypeError: when a state is nested more deeply than is possible for an elementwise rule.
    """
    start = 0
    for number, own in template["state"].items():
        for name, leaf in own.items():
            if not isinstance(leaf, Tensor | int | float):
                raise TypeError(f"{name} is a {type(leaf).__name__}")
            span, stop = spans[number], start + count(leaf)
            wide = isinstance(leaf, Tensor) and tuple(leaf.shape) == span.shape
            yield name, span if wide else None, leaf, start, stop
            start = stop


def _group_numbers(group: Mapping[str, Any], pattern: Mapping[str, Any]) -> list[Tensor]:
    """A group's numbers in the template's order; the list of its tensors is taken from the template."""
    values = [part if name == "params" else group[name] for name, part in pattern.items()]
    return [numbers_of(leaf) for leaf in leaves(values)]
