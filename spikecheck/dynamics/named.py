"""Optimizers from any package, as they come: what `torch.optim.Optimizer` promises is all that is asked of them.

One instance a member, on views into one storage in which every tensor lies as torch's own layers have it, so that rules which
look at whole matrices or at all of a model (Muon, Shampoo, clipping by the global norm) see one model. An optimizer whose rule
is elementwise gives the same bits when a single instance of it has all members' parameters; where that was seen it is what is
done, at a fraction of the time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting
from spikecheck.dynamics.ensemble import Ensemble
from spikecheck.dynamics.updates import Slots, UpdateRule
from spikecheck.problems.resolve import made, named
from spikecheck.problems.tensors import Place, torchs_order

Evaluate = Callable[[int, Tensor], tuple[float, Tensor]]
"""A member's loss and gradient at other parameters [P] than its own: what a closure computes."""


@dataclass(frozen=True)
class Order:
    """Which optimizer is to be made, for which tensors."""

    path: str
    options: tuple[tuple[str, Any], ...]
    places: tuple[Place, ...]
    dtype: torch.dtype

    def of(self, row: Tensor, lr: float) -> torch.optim.Optimizer:
        """An optimizer of one member's tensors, which are views of `row` [P]."""
        tensors = [(place.name, nn.Parameter(place.of(row))) for place in self.places]
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
        held = _tensors(optimizer)
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


class NamedOptimizer(UpdateRule):
    """A setting's MODULE:NAME as an update rule. No formula for its threshold is known."""

    def __init__(self, setting: Setting, places: Sequence[Place], evaluate: Evaluate | None = None) -> None:
        """`evaluate` serves an optimizer whose step wants a closure.

        Raises:
            SettingError: when it cannot be made, cannot be stepped, or gives other numbers for the same gradients.
        """
        columns, straight = torchs_order(places)
        order = Order(setting.optimizer, setting.options, straight, getattr(torch, setting.dtype))
        self._order = order
        self._columns = torch.tensor(columns)
        self._back = self._columns.argsort()
        self._evaluate = None if evaluate is None else self._evaluated_there(evaluate)
        self.abilities = abilities(order, setting.lr)
        if self.abilities.closure and evaluate is None:
            raise SettingError(
                f"optimizer={setting.optimizer!r}: its step wants a closure, and a closure sees the full batch; "
                "leave out batch, gradient_noise and clip"
            )
        self._live: _Live | None = None
        self._token: Mapping[str, Tensor] | None = None

    @property
    def slots(self) -> tuple[str, ...]:
        """One vector a member: every number in its state_dict."""
        return ("state",)

    def begin(self, params: Float[Tensor, "B P"]) -> Slots:
        """Nothing yet: an optimizer makes its state at its first step."""
        return {"state": params.new_zeros(len(params), self.abilities.numbers, dtype=torch.float64)}

    def step(
        self,
        params: Float[Tensor, "B P"],
        grads: Float[Tensor, "B P"],
        slots: Slots,
        lr: Float[Tensor, "B 1"],
        done: Int[Tensor, "B 1"],
    ) -> tuple[Float[Tensor, "B P"], Slots]:
        """Parameters and state after one update, from the state as a value."""
        start = Ensemble(params, slots, done[:, 0], lr[:, 0], torch.ones_like(done[:, 0], dtype=torch.bool))
        live = self._awake(start)
        return self._ours(live.step(self._torchs(params), self._torchs(grads), lr[:, 0], None)), {"state": live.state()}

    def move(
        self, ensemble: Ensemble, grads: Float[Tensor, "B P"], moving: Bool[Tensor, " B"] | None
    ) -> tuple[Float[Tensor, "B P"], Mapping[str, Tensor]]:
        """The instances go on from where they are; what stands for their state is turned into numbers by `kept`."""
        if self._live is None or ensemble.slots is not self._token:
            self._live = self._awake(ensemble)
        params = self._live.step(self._torchs(ensemble.params), self._torchs(grads), ensemble.lr, moving)
        self._token = {}
        return self._ours(params), self._token

    def kept(self, ensemble: Ensemble) -> Ensemble:
        """With the state as numbers, where an optimizer can be gone on with from them at all."""
        if self._live is None or ensemble.slots is not self._token:
            return ensemble
        return replace(ensemble, slots={"state": self._live.state()})

    def evaluated(self, ensemble: Ensemble) -> Float[Tensor, "B P"]:
        """Where the optimizer has `eval()`, the parameters that it then shows."""
        if not self.abilities.averages:
            return ensemble.params
        # Where no other instance can stand in, the one at work is asked: its training ends here.
        if self.abilities.resumes and self._live is not None:
            return self._ours(self._live.evaluated(self._torchs(ensemble.params)))
        return self._ours(self._awake(self.kept(ensemble)).evaluated(self._torchs(ensemble.params)))

    def wide(self) -> list[list[int]]:
        """Places in the state of every tensor that is none of single numbers: averages and matrices, not counters."""
        if self.abilities.resumes:
            raise SettingError(f"optimizer={self._order.path!r}: {self.abilities.resumes}; it cannot be linearised")
        found, start = [], 0
        for leaf in _leaves(self.abilities.template):
            count = _count(leaf)
            if isinstance(leaf, Tensor) and leaf.is_floating_point() and leaf.ndim > 0:
                found.append(list(range(start, start + count)))
            start += count
        return found

    def threshold(self, lr: float) -> float | None:
        """None: `dynamics.stability` finds where it becomes unstable."""
        return None

    def _awake(self, ensemble: Ensemble) -> "_Live":
        """Instances in the ensemble's states."""
        if self.abilities.resumes and bool((ensemble.done > 0).any()):
            raise SettingError(
                f"optimizer={self._order.path!r}: {self.abilities.resumes}, so nothing can be forked from its runs"
            )
        alike = len(set(ensemble.done.tolist())) == 1 and len(set(ensemble.lr.tolist())) == 1
        kind = _Together if self.abilities.together and alike else _Alone
        there = replace(ensemble, params=self._torchs(ensemble.params))
        return kind(self._order, self.abilities, there, self._evaluate)

    def _torchs(self, rows: Float[Tensor, "*any P"]) -> Float[Tensor, "*any P"]:
        """In torch's order of the parameters."""
        return rows[..., self._columns.to(rows.device)]

    def _ours(self, rows: Float[Tensor, "*any P"]) -> Float[Tensor, "*any P"]:
        """In ours."""
        return rows[..., self._back.to(rows.device)]

    def _evaluated_there(self, evaluate: Evaluate) -> Evaluate:
        def there(member: int, row: Tensor) -> tuple[float, Tensor]:
            loss, gradient = evaluate(member, self._ours(row))
            return loss, self._torchs(gradient)

        return there


class _Live(Protocol):
    """Optimizers at work on an ensemble."""

    def step(
        self, params: Tensor, grads: Tensor, lr: Float[Tensor, " B"], moving: Bool[Tensor, " B"] | None
    ) -> Float[Tensor, "B P"]:
        """The parameters after one update of those that move."""

    def state(self) -> Float[Tensor, "B Q"]:
        """Every member's state as numbers."""

    def evaluated(self, params: Tensor) -> Float[Tensor, "B P"]:
        """The parameters that are meant to be used."""


class _Alone:
    """One optimizer a member."""

    def __init__(self, order: Order, able: Abilities, ensemble: Ensemble, evaluate: Evaluate | None) -> None:
        self._able, self._evaluate = able, evaluate
        self._rows = ensemble.params.clone()
        self._rates = ensemble.lr.tolist()
        self._optimizers = [order.of(row, rate) for row, rate in zip(self._rows, self._rates, strict=True)]
        self._full_rates = [[group["lr"] for group in o.param_groups] for o in self._optimizers]
        self._grads = torch.zeros_like(self._rows)
        for optimizer, gradient in zip(self._optimizers, self._grads, strict=True):
            for tensor, place in zip(_tensors(optimizer), order.places, strict=True):
                tensor.grad = place.of(gradient)
            _train(optimizer)
        self._begun = [int(done) > 0 for done in ensemble.done]
        states = ensemble.slots.get("state")
        for member, begun in enumerate(self._begun):
            if begun and states is not None:
                _load(self._optimizers[member], able.template, states[member])

    def step(
        self, params: Tensor, grads: Tensor, lr: Float[Tensor, " B"], moving: Bool[Tensor, " B"] | None
    ) -> Float[Tensor, "B P"]:
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
        rows = [_packed(o, self._able) if b else None for o, b in zip(self._optimizers, self._begun, strict=True)]
        nothing = torch.zeros(self._able.numbers, dtype=torch.float64)
        return torch.stack([nothing if row is None else row for row in rows]).to(self._rows.device)

    def evaluated(self, params: Tensor) -> Float[Tensor, "B P"]:
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


class _Together:
    """One optimizer for all members, which all have made as many updates at one rate."""

    def __init__(self, order: Order, able: Abilities, ensemble: Ensemble, evaluate: Evaluate | None) -> None:
        self._able = able
        self._rows = ensemble.params.clone()
        self._rate = float(ensemble.lr[0])
        self._optimizer = order.of_all(self._rows, self._rate)
        self._full_rates = [group["lr"] for group in self._optimizer.param_groups]
        (self._tensor,) = _tensors(self._optimizer)
        self._tensor.grad = torch.zeros_like(self._rows)
        _train(self._optimizer)
        self._columns = [] if able.resumes else list(_columns(able.template, order.places))
        self._rested: dict[int, Tensor] = {}
        self._begun = int(ensemble.done[0]) > 0
        if self._begun:
            self._load(ensemble.slots["state"])

    def step(
        self, params: Tensor, grads: Tensor, lr: Float[Tensor, " B"], moving: Bool[Tensor, " B"] | None
    ) -> Float[Tensor, "B P"]:
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
        found = self._now()
        for member, numbers in self._rested.items():
            found[member] = numbers
        return found

    def evaluated(self, params: Tensor) -> Float[Tensor, "B P"]:
        self._rows.copy_(params)
        self._optimizer.eval()  # type: ignore[attr-defined]
        return self._rows.clone()

    def _now(self) -> Float[Tensor, "B Q"]:
        found = torch.zeros(len(self._rows), self._able.numbers, dtype=torch.float64, device=self._rows.device)
        if not self._begun or self._able.resumes:
            return found
        state, stop = self._optimizer.state[self._tensor], 0
        for name, place, _, start, stop in self._columns:
            value = state[name]
            found[:, start:stop] = _numbers(value) if place is None else value[:, place.start : place.stop]
        pairs = zip(self._optimizer.param_groups, self._able.template["param_groups"], strict=True)
        told = [numbers for group, pattern in pairs for numbers in _group_numbers(group, pattern)]
        found[:, stop:] = torch.cat(told)
        return found

    def _load(self, states: Float[Tensor, "B Q"]) -> None:
        """What has an element a parameter is every member's own; the rest is the same for all."""
        state, stop = self._optimizer.state[self._tensor], 0
        for name, place, leaf, start, stop in self._columns:
            if place is None:
                state[name] = _filled(leaf, iter([states[0, start:stop]]))
                continue
            if name not in state:
                state[name] = torch.zeros_like(self._rows, dtype=leaf.dtype)
            state[name][:, place.start : place.stop] = states[:, start:stop]
        pattern = self._able.template["param_groups"]
        rest = iter(states[0, stop:].split_with_sizes([_count(leaf) for leaf in _leaves(pattern)]))
        for group, filled in zip(self._optimizer.param_groups, _filled(pattern, rest), strict=True):
            group.update({name: value for name, value in filled.items() if name != "params"})


def _columns(template: Any, places: Sequence[Place]) -> Iterator[tuple[str, Place | None, Any, int, int]]:
    """Where the numbers of every tensor's state stand: name, the tensor if there is an element a parameter, leaf, columns.

    Raises:
        TypeError: where a state is nested deeper than one expects of an elementwise rule.
    """
    start = 0
    for number, own in template["state"].items():
        for name, leaf in own.items():
            if not isinstance(leaf, Tensor | int | float):
                raise TypeError(f"{name} is a {type(leaf).__name__}")
            place, stop = places[number], start + _count(leaf)
            wide = isinstance(leaf, Tensor) and tuple(leaf.shape) == place.shape
            yield name, place if wide else None, leaf, start, stop
            start = stop


def _group_numbers(group: Mapping[str, Any], pattern: Mapping[str, Any]) -> list[Tensor]:
    """A group's numbers in the template's order; which tensors are in it belongs to the template."""
    values = [part if name == "params" else group[name] for name, part in pattern.items()]
    return [_numbers(leaf) for leaf in _leaves(values)]


# ---- what an optimizer can do, seen on made-up gradients -----------------------------------------------------------------

_SCALES = (1.0, 1e3, 1e-3, 1.0)
"""Of the gradients: rules that clip, or that compare lengths, treat them differently."""


@lru_cache(maxsize=64)
def abilities(order: Order, lr: float) -> Abilities:
    """What an optimizer can do, seen on a few steps of two made-up members.

    Raises:
        SettingError: when it cannot be made or stepped, or when the same gradients lead to other numbers.
    """
    size = order.places[-1].stop
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(2, size, generator=generator, dtype=torch.float64).to(order.dtype)
    slopes = [torch.randn(2, size, generator=generator, dtype=torch.float64).to(order.dtype) * s for s in _SCALES]
    probed = order.of(start[0].clone(), lr)
    averages = callable(getattr(probed, "train", None)) and callable(getattr(probed, "eval", None))
    closure = _wants_closure(order, lr, start, slopes[0])
    bare = Abilities(False, "", closure, averages, 0, None)
    ends, template = _ends(order, bare, start, slopes, lr)
    if not torch.equal(ends, _ends(order, bare, start, slopes, lr)[0]):
        raise SettingError(
            f"optimizer={order.path!r}: gives other numbers for the same gradients; it draws random numbers of its own, "
            "so give it a fixed seed"
        )
    try:
        able = replace(bare, numbers=_count(template), template=template)
    except ValueError:  # what it holds is no number; `_why_not_resumed` says so
        able = bare
    resumes = _why_not_resumed(order, able, start, slopes, lr, ends)
    able = replace(able, resumes=resumes, numbers=0 if resumes else able.numbers)
    return replace(able, together=not closure and _same_together(order, able, start, slopes, lr, ends))


def _wants_closure(order: Order, lr: float, start: Tensor, slopes: Tensor) -> bool:
    """Whether `step` cannot be called without one.

    Raises:
        SettingError: when it cannot be called with one either.
    """
    for closure in (False, True):
        live = _Alone(order, Abilities(False, "", closure, False, 0, None), _fresh(start, lr), _tilted(slopes))
        try:
            live.step(start, slopes, torch.full((len(start),), lr, dtype=torch.float64), None)
        except Exception as error:
            if closure:
                raise SettingError(
                    f"optimizer={order.path!r}: its step raised {type(error).__name__}: {error}; try it on one model by itself"
                ) from error
        else:
            return closure
    raise AssertionError


def _ends(order: Order, able: Abilities, start: Tensor, slopes: list[Tensor], lr: float) -> tuple[Tensor, Any]:
    """Where one instance a member ends, and a state_dict there."""
    live = _Alone(order, able, _fresh(start, lr), _tilted(slopes[0]))
    params = start
    for slope in slopes:
        params = live.step(params, slope, torch.full((len(start),), lr, dtype=torch.float64), None)
    return params, live._optimizers[0].state_dict()


def _why_not_resumed(
    order: Order, able: Abilities, start: Tensor, slopes: list[Tensor], lr: float, ends: Tensor
) -> str:
    """Stopped half-way, turned into numbers and gone on with by a new instance: empty where it ends at the same bits.

    Parameters and state: an average that is not trained on shows in the state alone.
    """
    rates = torch.full((len(start),), lr, dtype=torch.float64)
    try:
        first = _Alone(order, able, _fresh(start, lr), _tilted(slopes[0]))
        params = start
        for slope in slopes[:2]:
            params = first.step(params, slope, rates, None)
        half = replace(_fresh(params, lr), slots={"state": first.state()}, done=torch.full((len(start),), 2))
        second = _Alone(order, able, half, _tilted(slopes[0]))
        for slope in slopes[2:]:
            params = second.step(params, slope, rates, None)
        whole = _Alone(order, able, _fresh(start, lr), _tilted(slopes[0]))
        there = start
        for slope in slopes:
            there = whole.step(there, slope, rates, None)
        alike = torch.equal(params, ends) and torch.equal(second.state(), whole.state())
    except Exception as error:
        return f"its state_dict cannot be stored ({type(error).__name__}: {error})"
    return "" if alike else "it remembers what its state_dict does not hold"


def _same_together(order: Order, able: Abilities, start: Tensor, slopes: list[Tensor], lr: float, ends: Tensor) -> bool:
    rates = torch.full((len(start),), lr, dtype=torch.float64)
    try:
        live = _Together(order, able, _fresh(start, lr), None)
        params = start
        for slope in slopes:
            params = live.step(params, slope, rates, None)
        alone = _Alone(order, able, _fresh(start, lr), None)
        there = start
        for slope in slopes:
            there = alone.step(there, slope, rates, None)
        return torch.equal(params, ends) and torch.equal(live.state(), alone.state())
    except Exception:
        return False


def _fresh(params: Tensor, lr: float) -> Ensemble:
    members = len(params)
    rates = torch.full((members,), lr, dtype=torch.float64)
    return Ensemble(params, {}, torch.zeros(members, dtype=torch.int64), rates, torch.ones(members, dtype=torch.bool))


def _tilted(slopes: Tensor) -> Evaluate:
    """A tilted bowl, for closures."""
    return lambda member, row: (float((slopes[member] * row + row * row / 2).sum()), slopes[member] + row)


# ---- state_dicts as numbers ----------------------------------------------------------------------------------------------


def _packed(optimizer: torch.optim.Optimizer, able: Abilities) -> Float[Tensor, " Q"]:
    """Every number in a state_dict, in the order of the template; infinite where it is built otherwise than the template."""
    if able.resumes:
        return torch.zeros(0, dtype=torch.float64)
    found = list(_leaves(optimizer.state_dict()))
    if [_kind(leaf) for leaf in found] != [_kind(leaf) for leaf in _leaves(able.template)]:
        return torch.full((able.numbers,), torch.inf, dtype=torch.float64)
    parts = [_numbers(leaf) for leaf in found]
    return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.float64)


def _load(optimizer: torch.optim.Optimizer, template: Any, numbers: Float[Tensor, " Q"]) -> None:
    """Give an optimizer the state that was packed, and every tensor its own precision: torch casts what is no `step`.

    Raises:
        SettingError: when it could not be packed.
    """
    if bool(numbers.isinf().all()) and len(numbers):
        raise SettingError(
            f"{type(optimizer).__name__}: its state_dict grows as it trains, so nothing can be forked from it"
        )
    rest = iter(numbers.split_with_sizes([_count(leaf) for leaf in _leaves(template)]))
    filled = _filled(template, rest)
    optimizer.load_state_dict(filled)
    in_order = [tensor for group in optimizer.param_groups for tensor in group["params"]]
    for number, exact in filled["state"].items():
        tensor = in_order[number]
        for name, value in exact.items():
            if isinstance(value, Tensor) and isinstance(optimizer.state[tensor].get(name), Tensor):
                optimizer.state[tensor][name] = value.to(tensor.device)


def _leaves(value: Any) -> Iterator[Any]:
    """The numbers and tensors in nested containers; text and None belong to the structure."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _leaves(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _leaves(part)
    elif isinstance(value, Tensor | int | float):
        yield value
    elif value is not None and not isinstance(value, str):
        raise ValueError(f"it holds a {type(value).__name__}")


def _filled(template: Any, rest: Iterator[Tensor]) -> Any:
    if isinstance(template, Mapping):
        return {name: _filled(part, rest) for name, part in template.items()}
    if isinstance(template, list | tuple):
        return type(template)([_filled(part, rest) for part in template])
    if isinstance(template, Tensor):
        return next(rest).to(template.dtype).view(template.shape).clone()
    if isinstance(template, int | float):
        return type(template)(float(next(rest)[0]))
    return template


def _kind(leaf: Any) -> tuple[Any, ...]:
    return (leaf.dtype, tuple(leaf.shape)) if isinstance(leaf, Tensor) else (type(leaf),)


def _numbers(leaf: Any) -> Float[Tensor, " q"]:
    if isinstance(leaf, Tensor):
        if leaf.is_complex() or leaf.is_sparse:
            raise ValueError("it holds complex or sparse tensors")
        return leaf.detach().reshape(-1).to(torch.float64).cpu()
    return torch.tensor([float(leaf)], dtype=torch.float64)


def _count(value: Any) -> int:
    return sum(leaf.numel() if isinstance(leaf, Tensor) else 1 for leaf in _leaves(value))


def _tensors(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """In the order in which they were given, however the groups divide them."""
    found = [tensor for group in optimizer.param_groups for tensor in group["params"]]
    return sorted(found, key=lambda tensor: tensor.data_ptr())


def _train(optimizer: torch.optim.Optimizer) -> None:
    if callable(getattr(optimizer, "train", None)) and callable(getattr(optimizer, "eval", None)):
        optimizer.train()  # type: ignore[attr-defined]
