"""Optimizers at work on an ensemble: one instance a member, or a single one that has all members' parameters.

Each is driven as in torch's ordinary loop. Parameters, their `.data` and their `.grad` belong to the optimizer: gradients
are set as new tensors before every step and inside closures, and what a step made of the parameters is read from them.
A learning rate that the optimizer sets stays, unless the setting asks for a schedule.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from spikecheck.core.errors import SettingError
from spikecheck.dynamics.ensemble import Ensemble
from spikecheck.dynamics.packing import count, filled_as, leaves, load, numbers_of, packed
from spikecheck.problems.resolve import made, named
from spikecheck.problems.seeding import seed_of
from spikecheck.problems.tensors import Span

Evaluate = Callable[[int, Tensor, int], tuple[float, Tensor]]
"""Of a member, at parameters [P], after so many updates: the loss and the gradient that its next update sees."""


class Coupled(Exception):
    """One instance for all members gave other numbers than an instance of a member's own."""


@dataclass(frozen=True)
class Order:
    """Which optimizer is to be made, for which tensors."""

    path: str
    options: tuple[tuple[str, Any], ...]
    spans: tuple[Span, ...]
    dtype: torch.dtype

    def of(self, row: Tensor, lr: float) -> "Driven":
        """An optimizer of tensors of its own, which start from one member's parameters, `row` [P]."""
        return Driven(
            self.path, self._made([(s.name, nn.Parameter(s.of(row).clone())) for s in self.spans], lr), self.spans
        )

    def of_all(self, rows: Tensor, lr: float) -> tuple[torch.optim.Optimizer, nn.Parameter]:
        """One optimizer of all members' parameters, `rows` [B, P], as a single tensor."""
        whole = nn.Parameter(rows.clone())
        return self._made([("all", whole)], lr)[0], whole

    def _made(
        self, tensors: list[tuple[str, nn.Parameter]], lr: float
    ) -> tuple[torch.optim.Optimizer, list[nn.Parameter]]:
        found = named("optimizer", self.path)
        is_class = isinstance(found, type)
        if is_class and not issubclass(found, torch.optim.Optimizer):
            raise SettingError(f"optimizer={self.path!r}: is no torch.optim.Optimizer; name a subclass, or a function")
        params = [tensor for _, tensor in tensors]
        optimizer = made("optimizer", self.path, params if is_class else tensors, lr=lr, **dict(self.options))
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise SettingError(
                f"optimizer={self.path!r}: returned {type(optimizer).__name__}; a function gets the named parameters, "
                "lr and the options, and returns a torch.optim.Optimizer"
            )
        held = [id(tensor) for group in optimizer.param_groups for tensor in group["params"]]
        if sorted(held) != sorted(map(id, params)):
            names = [name for name, tensor in tensors if held.count(id(tensor)) != 1]
            raise SettingError(
                f"optimizer={self.path!r}: {', '.join(names) or 'something else'} of the model's {len(params)} tensors is not "
                "in exactly one of its groups; every parameter must be"
            )
        return optimizer, params


class Driven:
    """One optimizer with the parameters that it was made for, in the order of the spans."""

    def __init__(
        self, path: str, made_of: tuple[torch.optim.Optimizer, list[nn.Parameter]], spans: Sequence[Span]
    ) -> None:
        self._path = path
        self.optimizer, self.params = made_of
        self._spans = spans
        self._rates: list[Any] = [group.get("lr") for group in self.optimizer.param_groups]
        train_mode(self.optimizer)

    @torch.no_grad()
    def put(self, row: Float[Tensor, " P"]) -> None:
        """Overwrite the parameters, whatever storage they have by now."""
        for tensor, span in zip(self.params, self._spans, strict=True):
            tensor.copy_(span.of(row))

    @torch.no_grad()
    def read(self) -> Float[Tensor, " P"]:
        """The parameters as they are.

        Raises:
            SettingError: when one has another shape than the model needs.
        """
        for tensor, span in zip(self.params, self._spans, strict=True):
            if tuple(tensor.shape) != span.shape:
                raise SettingError(
                    f"optimizer={self._path!r}: gave {span.name} the shape {tuple(tensor.shape)}, which the model has as "
                    f"{span.shape}; an optimizer must keep the shapes of its parameters"
                )
        return torch.cat([tensor.reshape(-1) for tensor in self.params])

    def feed(self, gradient: Float[Tensor, " P"]) -> None:
        """A new gradient, as after `zero_grad()` and `backward()`; the optimizer may keep or change it."""
        for tensor, span in zip(self.params, self._spans, strict=True):
            tensor.grad = span.of(gradient)

    def step(self, closure: Callable[[], Tensor] | None = None) -> None:
        """One update."""
        if closure is None:
            self.optimizer.step()
        else:
            self.optimizer.step(closure)  # type: ignore[arg-type]  # torch's stub says float, its own closures give tensors

    def scale(self, factor: float) -> None:
        """All learning rates as they are now, times a factor."""
        if factor != 1.0:
            for group in self.optimizer.param_groups:
                group["lr"] = self._rate_of(group) * factor

    def pace(self, factor: float) -> None:
        """All learning rates at a factor of what the optimizer was made with: a schedule's."""
        for group, full in zip(self.optimizer.param_groups, self._rates, strict=True):
            self._rate_of(group)
            group["lr"] = full * factor

    def _rate_of(self, group: Mapping[str, Any]) -> Any:
        if group.get("lr") is None:
            raise SettingError(
                f"optimizer={self._path!r}: has a group without lr, so no schedule and no fork can change its rate; leave "
                "out schedule, or give every group its lr"
            )
        return group["lr"]


@dataclass(frozen=True)
class Abilities:
    """What was seen of an optimizer on made-up gradients, over as many steps as its trainings have."""

    together: bool
    """All members may share one instance, unless a training shows otherwise."""
    resumes: str
    """Why a training cannot be gone on with from a stored state; empty where it can."""
    closure: bool
    """`step` wants a closure."""
    averages: bool
    """It has `train()` and `eval()`, and means other parameters to be used than it trains."""
    numbers: int
    """How many numbers a member's state is, with the factor of the rate at which it was stored as the last."""
    template: Any = field(compare=False)
    """A state_dict, for its structure."""


@dataclass(frozen=True)
class Pace:
    """What decides members' rates: those that their optimizers were made with, and whether a schedule goes over them."""

    rates: tuple[float, ...]
    """Every member's rate as its setting says."""
    scheduled: bool = False

    def factors(self, lr: Float[Tensor, " B"]) -> list[float]:
        """The rates of now over those."""
        return [now / full for now, full in zip(lr.tolist(), self.rates, strict=True)]

    def of(self, members: Sequence[int]) -> "Pace":
        """Some members'."""
        return Pace(tuple(self.rates[member] for member in members), self.scheduled)


@runtime_checkable
class Live(Protocol):
    """Optimizers at work on an ensemble."""

    def step(
        self,
        params: Float[Tensor, "B P"] | None,
        grads: Float[Tensor, "B P"],
        lr: Float[Tensor, " B"],
        done: Sequence[int],
        moving: Bool[Tensor, " B"] | None,
    ) -> Float[Tensor, "B P"]:
        """The parameters after one update of those that move; with None from where the last update left them."""

    def state(self) -> Float[Tensor, "B Q"]:
        """Every member's state as numbers."""

    def evaluated(self, params: Tensor) -> Float[Tensor, "B P"]:
        """The parameters that are meant to be used."""


class Alone:
    """One optimizer a member."""

    def __init__(
        self,
        order: Order,
        able: Abilities,
        ensemble: Ensemble,
        pace: Pace,
        seeds: Sequence[int],
        evaluate: Evaluate | None,
    ) -> None:
        """`ensemble` has its parameters in torch's order; `seeds` decide what the optimizers draw."""
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
        """As `Live`."""
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
        """As `Live`: zeros for a member that has not stepped, nothing where it cannot be stored."""
        if self._able.resumes:
            return self._rows.new_zeros(len(self._rows), 0, dtype=torch.float64)
        found = torch.zeros(len(self._rows), self._able.numbers, dtype=torch.float64)
        for member, one in enumerate(self._driven):
            if self._begun[member]:
                found[member, :-1] = packed(one.optimizer, self._able.template)
                found[member, -1] = 1.0 if self._pace.scheduled else self._factors[member]
        return found.to(self._rows.device)

    def state_dict(self, member: int) -> dict[str, Any]:
        """One optimizer's own."""
        return self._driven[member].optimizer.state_dict()

    def evaluated(self, params: Tensor) -> Float[Tensor, "B P"]:
        """As `Live`."""
        for one, row in zip(self._driven, params, strict=True):
            one.put(row)
            one.optimizer.eval()  # type: ignore[attr-defined]
        return torch.stack([one.read() for one in self._driven])

    def _closure(self, member: int, done: int) -> Callable[[], Tensor]:
        one, evaluate = self._driven[member], self._evaluate
        assert evaluate is not None

        def closure() -> Tensor:
            loss, gradient = evaluate(member, one.read(), done)
            one.feed(gradient)
            with torch.enable_grad():
                found: Tensor = _Loss.apply(loss, gradient, one, *one.params)  # type: ignore[no-untyped-call]
            return found

        return closure


class _Loss(torch.autograd.Function):
    """A loss whose gradient is known: after `backward()` it stands in `.grad`, once, whoever called it already."""

    @staticmethod
    def forward(ctx: Any, loss: float, gradient: Tensor, driven: Driven, *params: Tensor) -> Tensor:
        ctx.known = gradient, driven
        return gradient.new_tensor(loss)

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor | None, ...]:
        gradient, driven = ctx.known
        parts = [span.of(gradient) * above[0] for span in driven._spans]
        for tensor in driven.params:
            tensor.grad = None
        return None, None, None, *parts


class Together:
    """One optimizer for all members, which all have made as many updates at one rate.

    Two members are driven by optimizers of their own as well, step by step: where these come to other numbers the rule is not
    elementwise after all.
    """

    def __init__(
        self,
        order: Order,
        able: Abilities,
        ensemble: Ensemble,
        pace: Pace,
        seeds: Sequence[int],
        evaluate: Evaluate | None,
    ) -> None:
        """As `Alone`."""
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
        self._watched = sorted({0, ensemble.members - 1})
        part = ensemble.take(self._watched)
        self._own = Alone(order, able, part, pace.of(self._watched), [seeds[m] for m in self._watched], evaluate)

    def step(
        self,
        params: Float[Tensor, "B P"] | None,
        grads: Float[Tensor, "B P"],
        lr: Float[Tensor, " B"],
        done: Sequence[int],
        moving: Bool[Tensor, " B"] | None,
    ) -> Float[Tensor, "B P"]:
        """As `Live`.

        Raises:
            Coupled: where a member comes to other numbers than with an optimizer of its own.
        """
        before = self._tensor.detach().clone() if params is None else params
        resting = [] if moving is None else (~moving).nonzero().ravel().tolist()
        if newly := [member for member in resting if member not in self._rested]:
            # Counters are shared and go on, so what a member rests with is noted when it comes to rest.
            now = self._now()
            self._rested |= {member: now[member].clone() for member in newly}
        if params is not None:
            self._tensor.detach().copy_(params)
        self._tensor.grad = grads.clone()
        if self._pace.scheduled:
            (self._factor, *_) = self._pace.factors(lr)
            self._whole.pace(self._factor)
        with own_random_numbers(grads):
            self._optimizer.step()
        self._begun = True
        self._tensor.detach()[resting] = before[resting]
        found = self._tensor.detach().clone()
        self._compare(found, params, grads, lr, done, moving)
        return found

    def _compare(
        self,
        found: Tensor,
        params: Tensor | None,
        grads: Tensor,
        lr: Tensor,
        done: Sequence[int],
        moving: Tensor | None,
    ) -> None:
        some = self._watched
        own = self._own.step(
            None if params is None else params[some],
            grads[some],
            lr[some],
            [done[member] for member in some],
            None if moving is None else moving[some],
        )
        if not same_bits(found[some], own):
            raise Coupled

    def state(self) -> Float[Tensor, "B Q"]:
        """As `Live`: what a member rests with, where it has come to rest."""
        found = self._now()
        for member, numbers in self._rested.items():
            found[member] = numbers
        return found

    def evaluated(self, params: Tensor) -> Float[Tensor, "B P"]:
        """As `Live`."""
        self._tensor.detach().copy_(params)
        self._optimizer.eval()  # type: ignore[attr-defined]
        return self._tensor.detach().clone()

    def _now(self) -> Float[Tensor, "B Q"]:
        members = len(self._tensor)
        found = torch.zeros(members, self._able.numbers, dtype=torch.float64, device=self._tensor.device)
        if not self._begun or self._able.resumes:
            return found
        state, stop = self._optimizer.state[self._tensor], 0
        for name, span, _, start, stop in self._columns:
            value = state[name]
            found[:, start:stop] = numbers_of(value) if span is None else value[:, span.start : span.stop]
        pairs = zip(self._optimizer.param_groups, self._able.template["param_groups"], strict=True)
        told = [numbers for group, pattern in pairs for numbers in _group_numbers(group, pattern)]
        found[:, stop:-1] = torch.cat(told)
        found[:, -1] = 1.0 if self._pace.scheduled else self._factor
        return found

    def _load(self, states: Float[Tensor, "B Q"], rows: Float[Tensor, "B P"]) -> None:
        """What has an element a parameter is every member's own; the rest is the same for all."""
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


@contextmanager
def own_random_numbers(like: Tensor) -> Iterator[None]:
    """What is drawn in here leaves the global generators of torch, NumPy and Python as they were."""
    of_numpy, of_python = np.random.get_state(), random.getstate()  # noqa: NPY002 - what optimizers draw from
    before = torch.get_rng_state()
    try:
        with torch.random.fork_rng(devices=[] if like.is_cpu else [like.device], enabled=not like.is_cpu):
            yield
    finally:
        torch.set_rng_state(before)
        np.random.set_state(of_numpy)  # noqa: NPY002
        random.setstate(of_python)


def seed_draws(like: Tensor, seed: int, done: int) -> None:
    """Seed the generators so that what an optimizer draws depends on its member's seed and the updates made alone."""
    number = seed_of(seed, "optimizer", done)
    random.seed(number)
    np.random.seed(number % 2**32)  # noqa: NPY002
    if like.is_cpu:  # torch.manual_seed would write down a traceback for every device that is not there
        torch.default_generator.manual_seed(number)
    else:
        torch.manual_seed(number)


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same to the bit; numbers that have failed are like themselves."""
    return torch.equal(one, other) or torch.equal(one.nan_to_num(), other.nan_to_num())


def _columns(template: Any, spans: Sequence[Span]) -> Iterator[tuple[str, Span | None, Any, int, int]]:
    """Where the numbers of every tensor's state stand: name, the tensor if there is an element a parameter, leaf, columns.

    Raises:
        TypeError: where a state is nested deeper than one expects of an elementwise rule.
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
    """A group's numbers in the template's order; which tensors are in it belongs to the template."""
    values = [part if name == "params" else group[name] for name, part in pattern.items()]
    return [numbers_of(leaf) for leaf in leaves(values)]


def train_mode(optimizer: torch.optim.Optimizer) -> None:
    """Where it has `train()` and `eval()`: those that do refuse to step before they are told."""
    if callable(getattr(optimizer, "train", None)) and callable(getattr(optimizer, "eval", None)):
        optimizer.train()  # type: ignore[attr-defined]
