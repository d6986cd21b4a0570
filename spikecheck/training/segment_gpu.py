"""Many updates on a GPU without the host: in one kernel where there is one, else as a CUDA graph.

Host and GPU work at the same time. Reading a number from the GPU makes the host wait, so nothing here does: members stop by
masks.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikecheck.core.import_path import BUILT_IN
from spikecheck.objective.gpu_shallow import ShallowGpu
from spikecheck.objective.objective import Objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import Adam, BuiltIn, GradientDescent, HeavyBall, RMSprop, UpdateRule, correction
from spikecheck.optimizers.schedules import Scheduled
from spikecheck.training.gradients import FullBatch, Gradients
from spikecheck.training.one_update import update

Advance = Callable[[Ensemble, Int[Tensor, " B"], Float[Tensor, "T B"]], Ensemble]
"""Makes T updates, of which a member makes those left until its `until`, and writes the losses before each to the record."""


@dataclass(frozen=True)
class InKernel:
    """Makes T updates of shallow networks in one launch of `kernels.segment`. Axes: T updates, B members."""

    passes: ShallowGpu
    rule: UpdateRule
    """A built-in rule, with or without a schedule."""

    def __call__(self, ensemble: Ensemble, until: Int[Tensor, " B"], record: Float[Tensor, "T B"]) -> Ensemble:
        """Launch once; nothing but the record is changed in place."""
        rule = _built_in(self.rule)
        assert rule is not None
        after = replace(
            ensemble,
            params=torch.empty_like(ensemble.params),
            slots={name: torch.empty_like(slot) for name, slot in ensemble.slots.items()},
            done=torch.empty_like(ensemble.done),
            alive=torch.empty_like(ensemble.alive),
        )
        rates, corrections, roots = self._clocked(rule, ensemble, len(record))
        (first, second), (new_first, new_second) = (_two_slots(rule, state) for state in (ensemble, after))
        from spikecheck.kernels.segment import segment  # noqa: PLC0415  needs triton

        segment[self.passes.programs](
            ensemble.params,
            first,
            second,
            record,
            ensemble.done,
            ensemble.alive.view(torch.int8),
            until,
            rates=rates,
            corrections=corrections,
            roots=roots,
            constants=self._constants,
            new_parameters=after.params,
            new_first=new_first,
            new_second=new_second,
            new_done=after.done,
            new_alive=after.alive.view(torch.int8),
            steps=len(record),
            rate_hop=ensemble.members if len(rates) > 1 else 0,
            RULE=_name(rule),
            DECAYED=rule.weight_decay > 0,
            SLOTS=len(rule.slots),
            **self.passes.arguments,
        )
        return after

    def _clocked(self, rule: BuiltIn, ensemble: Ensemble, steps: int) -> tuple[Tensor, Tensor, Tensor]:
        """The quantities that depend on the updates a member has made: its rates, and Adam's bias corrections."""
        clock = ensemble.done + torch.arange(steps, device=ensemble.done.device)[:, None]
        rates = ensemble.lr[None] if self.rule is rule else self._scheduled(ensemble.lr, clock)
        if not isinstance(rule, Adam):
            return rates, rates, rates
        return (
            rates,
            correction(rule.beta1, clock + 1, ensemble.lr),
            correction(rule.beta2, clock + 1, ensemble.lr).sqrt(),
        )

    def _scheduled(self, lr: Float[Tensor, " B"], clock: Int[Tensor, "T B"]) -> Float[Tensor, "T B"]:
        assert isinstance(self.rule, Scheduled)
        return self.rule.rates(lr, clock)

    @cached_property
    def _constants(self) -> Float[Tensor, " 4"]:
        """The rule's hyperparameters in the parameters' precision: a kernel would take Python's numbers as float32."""
        rule = _built_in(self.rule)
        names = ("beta1" if isinstance(rule, Adam) else "momentum", "beta2", "eps", "weight_decay")
        values = [getattr(rule, name, 0.0) for name in names]
        return torch.tensor(values, dtype=self.passes.x.dtype, device=self.passes.x.device)


class InGraph:
    """Updates any other ensemble: `CAPTURED` updates are captured once as a CUDA graph, then replayed. Axes: B members."""

    def __init__(self, move: Callable[[Ensemble, Int[Tensor, " B"]], tuple[Float[Tensor, " B"], Ensemble]]) -> None:
        """`move` makes one update, and returns the losses before it and the ensemble after it."""
        self._move = move
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: tuple[Ensemble, Tensor] | None = None
        self._outputs: tuple[Ensemble, Tensor] | None = None

    def __call__(self, ensemble: Ensemble, until: Int[Tensor, " B"], record: Float[Tensor, "T B"]) -> Ensemble:
        """Replay as many whole graphs as fit, then make the remaining updates one by one."""
        made = 0
        while len(record) - made >= CAPTURED:
            ensemble = self._replayed(ensemble, until, record[made : made + CAPTURED])
            made += CAPTURED
        return self._moved(ensemble, until, record[made:])

    def _moved(self, ensemble: Ensemble, until: Tensor, record: Tensor) -> Ensemble:
        for row in record:
            losses, ensemble = self._move(ensemble, until)
            row.copy_(losses)
        return ensemble

    def _replayed(self, ensemble: Ensemble, until: Tensor, record: Tensor) -> Ensemble:
        if self._graph is None:
            self._capture(ensemble, until, record)
        assert self._graph is not None
        assert self._inputs is not None
        assert self._outputs is not None
        there, there_until = self._inputs
        for mine, theirs in zip(_tensors(there), _tensors(ensemble), strict=True):
            mine.copy_(theirs)
        there_until.copy_(until)
        self._graph.replay()
        after, losses = self._outputs
        record.copy_(losses)
        return _copied(after)

    def _capture(self, ensemble: Ensemble, until: Tensor, record: Tensor) -> None:
        self._inputs = (_copied(ensemble), until.clone())
        losses = torch.empty_like(record)
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # libraries initialise at the first call, which a graph must not contain
            self._moved(*self._inputs, losses[:3])
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._outputs = (self._moved(*self._inputs, losses), losses)


CAPTURED = 50
"""Updates per graph; every stride between checkpoints is a multiple of it."""


def launches(
    objective: Objective, rule: UpdateRule, ensemble: Ensemble, until: Int[Tensor, " B"], gradients: Gradients | None
) -> Advance | None:
    """A function that updates such an ensemble by launches; None on a CPU, and where an update needs the host.

    Its first updates are compared with those of torch's operations: a card, a driver or a compiler may be faulty, and then
    training uses torch's operations.
    """
    plain = gradients is None or isinstance(gradients, FullBatch)
    if not objective.device.startswith("cuda") or not plain or _built_in(rule) is None:
        return None

    def move(ensemble: Ensemble, until: Tensor) -> tuple[Tensor, Ensemble]:
        losses, grads = objective.gradient(ensemble.params)
        return losses, update(rule, ensemble, losses, grads, until)

    advance: Advance
    if isinstance(objective.written_out, ShallowGpu):
        advance = InKernel(objective.written_out, rule)
    elif objective.settings[0].model in BUILT_IN["model"]:
        advance = InGraph(move)
    else:
        return None  # a user's module may read numbers on the host
    key = (objective.settings[0].signature, objective.device)
    if key not in _TRIED:
        _TRIED[key] = trial(advance, objective, rule, ensemble, until)
        if _TRIED[key]:
            warnings.warn(f"{_TRIED[key]}; training uses torch's operations instead, and takes longer", stacklevel=2)
    return None if _TRIED[key] else advance


_TRIED: dict[tuple[str, str], str] = {}
"""The fault found in the launches of a signature on a device; empty where none was found."""
_COMPARED = 3
"""Updates compared: too few for rounding errors to grow."""


def trial(
    advance: Advance, objective: Objective, rule: UpdateRule, ensemble: Ensemble, until: Int[Tensor, " B"]
) -> str:
    """Compare the losses of the first updates with those of autograd and the rule.

    Returns an empty text where they agree up to rounding, else a description of the fault.
    """
    losses = ensemble.params.new_empty(CAPTURED, ensemble.members)
    expected = []
    try:
        advance(ensemble, until, losses)
        for _ in range(_COMPARED):
            here = ensemble.params.detach().requires_grad_()
            with torch.enable_grad():
                there = objective.losses(here)
                (grads,) = torch.autograd.grad(there.sum(), here)
            expected.append(there.detach())
            ensemble = update(rule, ensemble, there.detach(), grads, until)
        left = losses[:_COMPARED]
        right = torch.stack(expected)
        close = torch.isclose(left, right, rtol=torch.finfo(left.dtype).eps ** 0.5)
        both_lost = ~left.isfinite() & ~right.isfinite()
        return "" if bool((close | both_lost).all()) else f"device={objective.device!r}: kernels give other numbers"
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # compilers and drivers may raise anything
        return f"device={objective.device!r}: kernels fail ({type(error).__name__}: {str(error)[:200]})"


def _built_in(rule: UpdateRule) -> BuiltIn | None:
    inner = rule.rule if isinstance(rule, Scheduled) else rule
    return inner if isinstance(inner, GradientDescent | HeavyBall | RMSprop | Adam) else None


def _name(rule: BuiltIn) -> str:
    """The rule's name in a setting."""
    match rule:
        case GradientDescent():
            return "gd"
        case HeavyBall():
            return "nesterov" if rule.nesterov else "heavy-ball"
        case RMSprop():
            return "rmsprop"
        case Adam():
            return "adamw" if rule.decoupled else "adam"


def _two_slots(rule: BuiltIn, ensemble: Ensemble) -> tuple[Tensor, Tensor]:
    """The rule's slots; the parameters stand in for missing ones, and no kernel touches them there."""
    first, second, *_ = (*(ensemble.slots[name] for name in rule.slots), ensemble.params, ensemble.params)
    return first, second


def _tensors(ensemble: Ensemble) -> list[Tensor]:
    return [ensemble.params, *ensemble.slots.values(), ensemble.done, ensemble.lr, ensemble.alive]


def _copied(ensemble: Ensemble) -> Ensemble:
    slots = {name: slot.clone() for name, slot in ensemble.slots.items()}
    params, done, lr, alive = (part.clone() for part in (ensemble.params, ensemble.done, ensemble.lr, ensemble.alive))
    return Ensemble(params, slots, done, lr, alive)
