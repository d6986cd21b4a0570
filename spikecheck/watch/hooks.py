"""Hooks around an optimizer's step: they keep the learning rates, and at looks the parameters before the step."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer

from spikecheck.core.errors import UsageError
from spikecheck.watch.gradient_norms import GradientNorms
from spikecheck.watch.layers import Pending, Sums
from spikecheck.watch.segment import Segment
from spikecheck.watch.shards import is_sharded, local
from spikecheck.watch.witness import Guard, Witness

_TURNS = count(1)


class StepHooks:
    """Hooks of one optimizer. Between looks they read the learning rates and do nothing else."""

    def __init__(self, optimizer: Optimizer, is_due: Callable[[], bool], guard: Guard) -> None:
        self.optimizer = optimizer
        self.stepped = False
        self.lr: tuple[float | Tensor, ...] = ()
        self.segment: Segment | None = None
        self.turn = 0
        """Which of all optimizers' steps the last one was."""
        self._pending: Pending | None = None
        self._is_due = is_due
        self._guard = guard
        self._witness: Witness | None = None
        self._norms: GradientNorms | None = None
        self.gradient_changed = False
        before, after = guard(self._before), guard(self._after)
        self._handles = [
            optimizer.register_step_pre_hook(lambda *_: before()),
            optimizer.register_step_post_hook(lambda *_: after()),
        ]

    def remove(self) -> None:
        """Remove the hooks from the optimizer."""
        for handle in self._handles:
            handle.remove()
        self.forget()

    def forget(self) -> None:
        """Free the memory kept for the last step."""
        self.stepped, self.segment, self._pending = False, None, None
        if self._witness is not None:
            self._witness.remove()
            self._witness = None
        if self._norms is not None:
            self._norms.remove()
            self._norms = None

    def expect(self) -> None:
        """Prepare for a look at the next step."""
        self._witness = Witness(self.parameters(), self._guard)
        self._norms = GradientNorms(self.parameters(), self._guard)

    def made_and_met(self) -> tuple[list[float], list[float]]:
        """Numbers of one gradient as the backward pass made it, and as the optimizer met it; none where not known."""
        return ([], []) if self._witness is None else self._witness.read()

    def one_factor(self, sums: Sums) -> bool:
        """Whether the gradients are those of the loss since the last step, but for one factor; waits for the device.

        A hook on a parameter may change its gradient before a backward pass can be seen to have made it.
        """
        if self._witness is None or self._norms is None or any(one._backward_hooks for one in self.parameters()):
            return False
        return self._witness.is_sum and self._norms.one_factor(self.parameters(), sums.gradient)

    @property
    def followed(self) -> Tensor | None:
        """The parameter whose gradient that is."""
        return None if self._witness is None else self._witness.parameter

    def parameters(self) -> list[Tensor]:
        """The parameters that the optimizer currently updates, each once."""
        given = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        return list({id(parameter): parameter for parameter in given}.values())

    def sums(self) -> Sums | None:
        """Sums over the last step, None without a look; waits for the device."""
        return None if self._pending is None else self._pending.read()

    def moved_since(self) -> bool:
        """Whether parameters were changed after the measured step of the optimizer; waits for the device."""
        return self._pending is not None and self._pending.differs(self.parameters())

    def _before(self) -> None:
        self.segment = Segment(self.parameters()) if self._is_due() else None
        self.turn = next(_TURNS)

    def _after(self) -> None:
        self.stepped = True
        self.lr = tuple(group["lr"] for group in self.optimizer.param_groups if "lr" in group)
        if self.segment is not None:
            parameters = self.parameters()
            # A gradient as the backward pass made it has version 0; clipping, unscaling and accumulating write into it.
            # What FSDP2 hands over was written into already.
            gradients = [local(p.grad) for p in parameters if p.grad is not None]
            self.gradient_changed = any(is_sharded(p) for p in parameters) or any(g._version > 0 for g in gradients)
            if self._witness is not None:
                self._witness.step()
            self._pending = Pending(self.optimizer, parameters, self.segment.before)


def unwrapped(optimizer: object) -> Optimizer:
    """The torch optimizer inside a wrapper such as Lightning's or Accelerate's.

    Raises:
        UsageError: there is no torch optimizer inside.
    """
    inner = optimizer
    while not isinstance(inner, Optimizer) or isinstance(getattr(inner, "optimizer", None), Optimizer):
        inner = getattr(inner, "optimizer", None)
        if inner is None:
            raise UsageError(
                f"optimizer={type(optimizer).__name__}: is no torch.optim.Optimizer; give the one whose step() your loop calls"
            )
    return inner


def names(model: nn.Module, optimizers: Sequence[Optimizer]) -> dict[int, str]:
    """The model's names of the parameters that the optimizers update, by `id(parameter)`.

    Raises:
        UsageError: the optimizers update none of the model's parameters.
    """
    inner = model.module if isinstance(model, DistributedDataParallel) else model
    known = {id(parameter): name for name, parameter in _with_shapes(inner)}
    moved = {id(p): known[id(p)] for o in optimizers for g in o.param_groups for p in g["params"] if id(p) in known}
    if not moved:
        raise UsageError(
            "optimizer: moves none of the model's parameters; make it from this model's parameters(), "
            "after the model was moved to its device or rebuilt"
        )
    return moved


def _with_shapes(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The model's parameters with their names; raises UsageError at one that is lazy."""
    for name, parameter in model.named_parameters():
        if is_lazy(parameter):
            raise UsageError(f"model: {name} has no shape yet; pass one batch through the model before Watch")
        yield name, parameter


def called_by_python(model: nn.Module) -> Iterator[nn.Module]:
    """The model and its modules, but for those within a compiled one: a hook on these would compile it again."""
    yield model
    compiled = (
        hasattr(model, "_orig_mod") or model._compiled_call_impl is not None
    )  # by torch.compile, or by its own method
    if not compiled and not isinstance(model, torch.jit.ScriptModule):
        for child in model.children():
            yield from called_by_python(child)


def devices_of(model: nn.Module) -> list[torch.device]:
    """The devices of the model's parameters."""
    return list({parameter.device for parameter in model.parameters()})


def as_numbers(values: Sequence[Any]) -> tuple[float, ...]:
    """Learning rates as numbers; some optimizers keep them as tensors, and some have none of their own."""
    return tuple(float(value) for value in values if value is not None)
