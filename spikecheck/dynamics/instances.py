"""Optimizers at work on an ensemble: one instance a member, or a single one that has all members' parameters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from spikecheck.core.errors import SettingError
from spikecheck.dynamics.ensemble import Ensemble
from spikecheck.dynamics.packing import count, filled_as, leaves, load, numbers_of, packed
from spikecheck.problems.resolve import made, named
from spikecheck.problems.tensors import Span

Evaluate = Callable[[int, Tensor], tuple[float, Tensor]]
"""A member's loss and gradient at other parameters [P] than its own: what a closure computes."""


@dataclass(frozen=True)
class Order:
    """Which optimizer is to be made, for which tensors."""

    path: str
    options: tuple[tuple[str, Any], ...]
    spans: tuple[Span, ...]
    dtype: torch.dtype

    def of(self, row: Tensor, lr: float) -> torch.optim.Optimizer:
        """An optimizer of one member's tensors, which are views of `row` [P]."""
        tensors = [(span.name, nn.Parameter(span.of(row))) for span in self.spans]
        return self._made(tensors, lr)

    def of_all(self, rows: Tensor, lr: float) -> torch.optim.Optimizer:
        """One optimizer of all members' parameters, `rows` [B, P], as a single tensor."""
        return self._made([("all", nn.Parameter(rows))], lr)

    def _made(self, tensors: list[tuple[str, nn.Parameter]], lr: float) -> torch.optim.Optimizer:
        found = named("optimizer", self.path)
        is_class = isinstance(found, type)
        if is_class and not issubclass(found, torch.optim.Optimizer):
            raise SettingError(f"optimizer={self.path!r}: is no torch.optim.Optimizer; name a subclass, or a function")
        given = [tensor for _, tensor in tensors] if is_class else tensors
        optimizer = made("optimizer", self.path, given, lr=lr, **dict(self.options))
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise SettingError(
                f"optimizer={self.path!r}: returned {type(optimizer).__name__}; a function gets the named parameters, "
                "lr and the options, and returns a torch.optim.Optimizer"
            )
        held = tensors_of(optimizer)
        if [id(tensor) for tensor in held] != [id(tensor) for _, tensor in tensors]:
            raise SettingError(
                f"optimizer={self.path!r}: holds {len(held)} tensors of {len(tensors)}; every parameter must be in one group"
            )
        return optimizer


@dataclass(frozen=True)
class Abilities:
    """What was seen of an optimizer on a few steps of made-up gradients."""

    together: bool
    """All members may share one instance: the bits are the same."""
    resumes: str
    """Why a training cannot be gone on with from a stored state; empty where it can."""
    closure: bool
    """`step` wants a closure."""
    averages: bool
    """It has `train()` and `eval()`, and means other parameters to be used than it trains."""
    numbers: int
    """How many numbers a member's state is."""
    template: Any = field(compare=False)
    """A state_dict, for its structure."""


@runtime_checkable
class Live(Protocol):
    """Optimizers at work on an ensemble."""

    def step(
        self, params: Tensor, grads: Tensor, lr: Float[Tensor, " B"], moving: Bool[Tensor, " B"] | None
    ) -> Float[Tensor, "B P"]:
        """The parameters after one update of those that move."""

    def state(self) -> Float[Tensor, "B Q"]:
        """Every member's state as numbers."""

    def evaluated(self, params: Tensor) -> Float[Tensor, "B P"]:
        """The parameters that are meant to be used."""


class Alone:
    """One optimizer a member."""

    def __init__(self, order: Order, able: Abilities, ensemble: Ensemble, evaluate: Evaluate | None) -> None:
        self._able, self._evaluate = able, evaluate
        self._rows = ensemble.params.clone()
        self._rates = ensemble.lr.tolist()
        self._optimizers = [order.of(row, rate) for row, rate in zip(self._rows, self._rates, strict=True)]
        self._full_rates = [[group["lr"] for group in o.param_groups] for o in self._optimizers]
        self._grads = torch.zeros_like(self._rows)
        for optimizer, gradient in zip(self._optimizers, self._grads, strict=True):
            for tensor, span in zip(tensors_of(optimizer), order.spans, strict=True):
                tensor.grad = span.of(gradient)
            train_mode(optimizer)
        self._begun = [int(done) > 0 for done in ensemble.done]
        states = ensemble.slots.get("state")
        for member, begun in enumerate(self._begun):
            if begun and states is not None:
                load(self._optimizers[member], able.template, states[member])

    def step(
        self, params: Tensor, grads: Tensor, lr: Float[Tensor, " B"], moving: Bool[Tensor, " B"] | None
    ) -> Float[Tensor, "B P"]:
        """As `Live`."""
        self._rows.copy_(params)
        self._grads.copy_(grads)
        members = range(len(params)) if moving is None else moving.nonzero().ravel().tolist()
        rates = lr.tolist()
        for member in members:
            optimizer = self._optimizers[member]
            for group, full in zip(optimizer.param_groups, self._full_rates[member], strict=True):
                group["lr"] = full * (rates[member] / self._rates[member])
            if self._able.closure:
                optimizer.step(self._closure(member))
            else:
                optimizer.step()
            self._begun[member] = True
        return self._rows.clone()

    def state(self) -> Float[Tensor, "B Q"]:
        """As `Live`: zeros for a member that has not stepped, nothing where it cannot be stored."""
        if self._able.resumes:
            return self._rows.new_zeros(len(self._rows), 0, dtype=torch.float64)
        rows = [
            packed(o, self._able.template) if b else None for o, b in zip(self._optimizers, self._begun, strict=True)
        ]
        nothing = torch.zeros(self._able.numbers, dtype=torch.float64)
        return torch.stack([nothing if row is None else row for row in rows]).to(self._rows.device)

    def evaluated(self, params: Tensor) -> Float[Tensor, "B P"]:
        """As `Live`."""
        self._rows.copy_(params)
        for optimizer in self._optimizers:
            optimizer.eval()  # type: ignore[attr-defined]
        return self._rows.clone()

    def _closure(self, member: int) -> Callable[[], float]:
        def closure() -> float:
            assert self._evaluate is not None
            loss, gradient = self._evaluate(member, self._rows[member])
            self._grads[member] = gradient
            return loss

        return closure


class Together:
    """One optimizer for all members, which all have made as many updates at one rate."""

    def __init__(self, order: Order, able: Abilities, ensemble: Ensemble, evaluate: Evaluate | None) -> None:
        self._able = able
        self._rows = ensemble.params.clone()
        self._rate = float(ensemble.lr[0])
        self._optimizer = order.of_all(self._rows, self._rate)
        self._full_rates = [group["lr"] for group in self._optimizer.param_groups]
        (self._tensor,) = tensors_of(self._optimizer)
        self._tensor.grad = torch.zeros_like(self._rows)
        train_mode(self._optimizer)
        self._columns = [] if able.resumes else list(_columns(able.template, order.spans))
        self._rested: dict[int, Tensor] = {}
        self._begun = int(ensemble.done[0]) > 0
        if self._begun:
            self._load(ensemble.slots["state"])

    def step(
        self, params: Tensor, grads: Tensor, lr: Float[Tensor, " B"], moving: Bool[Tensor, " B"] | None
    ) -> Float[Tensor, "B P"]:
        """As `Live`."""
        self._rows.copy_(params)
        assert self._tensor.grad is not None
        self._tensor.grad.copy_(grads)
        for group, full in zip(self._optimizer.param_groups, self._full_rates, strict=True):
            group["lr"] = full * (float(lr[0]) / self._rate)
        resting = [] if moving is None else (~moving).nonzero().ravel().tolist()
        if newly := [member for member in resting if member not in self._rested]:
            # Counters are shared and go on, so what a member rests with is noted when it comes to rest.
            now = self._now()
            self._rested |= {member: now[member].clone() for member in newly}
        self._optimizer.step()
        self._begun = True
        self._rows[resting] = params[resting]
        return self._rows.clone()

    def state(self) -> Float[Tensor, "B Q"]:
        """As `Live`: what a member rests with, where it has come to rest."""
        found = self._now()
        for member, numbers in self._rested.items():
            found[member] = numbers
        return found

    def evaluated(self, params: Tensor) -> Float[Tensor, "B P"]:
        """As `Live`."""
        self._rows.copy_(params)
        self._optimizer.eval()  # type: ignore[attr-defined]
        return self._rows.clone()

    def _now(self) -> Float[Tensor, "B Q"]:
        found = torch.zeros(len(self._rows), self._able.numbers, dtype=torch.float64, device=self._rows.device)
        if not self._begun or self._able.resumes:
            return found
        state, stop = self._optimizer.state[self._tensor], 0
        for name, span, _, start, stop in self._columns:
            value = state[name]
            found[:, start:stop] = numbers_of(value) if span is None else value[:, span.start : span.stop]
        pairs = zip(self._optimizer.param_groups, self._able.template["param_groups"], strict=True)
        told = [numbers for group, pattern in pairs for numbers in _group_numbers(group, pattern)]
        found[:, stop:] = torch.cat(told)
        return found

    def _load(self, states: Float[Tensor, "B Q"]) -> None:
        """What has an element a parameter is every member's own; the rest is the same for all."""
        state, stop = self._optimizer.state[self._tensor], 0
        for name, span, leaf, start, stop in self._columns:
            if span is None:
                state[name] = filled_as(leaf, iter([states[0, start:stop]]))
                continue
            if name not in state:
                state[name] = torch.zeros_like(self._rows, dtype=leaf.dtype)
            state[name][:, span.start : span.stop] = states[:, start:stop]
        pattern = self._able.template["param_groups"]
        rest = iter(states[0, stop:].split_with_sizes([count(leaf) for leaf in leaves(pattern)]))
        for group, filled in zip(self._optimizer.param_groups, filled_as(pattern, rest), strict=True):
            group.update({name: value for name, value in filled.items() if name != "params"})


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


def tensors_of(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """In the order in which they were given, however the groups divide them."""
    found = [tensor for group in optimizer.param_groups for tensor in group["params"]]
    return sorted(found, key=lambda tensor: tensor.data_ptr())


def train_mode(optimizer: torch.optim.Optimizer) -> None:
    """Where it has `train()` and `eval()`: those that do refuse to step before they are told."""
    if callable(getattr(optimizer, "train", None)) and callable(getattr(optimizer, "eval", None)):
        optimizer.train()  # type: ignore[attr-defined]
