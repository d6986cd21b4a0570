"""What became of gradients between the backward passes and the optimizer's step, from the gradient of one parameter."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import get_gradient_edge

from spikecheck.watch.layers import wide
from spikecheck.watch.local_hook import LocalHook
from spikecheck.watch.shards import is_sharded, local

Guard = Callable[[Callable[..., None]], Callable[..., None]]
"""Wraps a function so that it never raises."""

_LARGE_ENOUGH = 16
"""Least size of the followed parameter, if the model has one so large: a single number may have no gradient."""
_PIECE = 64
"""Numbers of it that are kept: processes send them to one another."""
_SAME = 1e-4
"""Relative difference of two sums that rounding makes in single precision."""
_ROUNDINGS = 4.0
"""Units in the last place by which sums in lower precision may differ."""


class Witness:
    """Remembers a piece of one small parameter's gradient as the backward pass made it, until the optimizer's step.

    Clipping by norm scales all gradients by the same factor, so one parameter is enough.
    """

    def __init__(self, parameters: Sequence[Tensor], guard: Guard) -> None:
        trained = [parameter for parameter in parameters if parameter.requires_grad and parameter.is_leaf]
        self._parameter = min(trained, key=lambda p: (p.numel() < _LARGE_ENOUGH, p.numel()), default=None)
        self._made: Tensor | None = None
        self._met: Tensor | None = None
        self._added: list[Tensor] = []
        """What each backward pass added to it."""
        self._precision = 0.0
        """Of the coarsest of them: the unit in the last place of 1."""
        self._handles: list[Any] = []
        self._accumulator: Any = None
        """The end of the backward pass at the parameter. Its hooks are lost unless it is kept."""
        if self._parameter is not None:
            register: Any = self._parameter.register_post_accumulate_grad_hook
            self._handles.append(register(LocalHook(guard(self._note))))
            if not is_sharded(self._parameter):  # gradients of these are put there after the backward pass
                with torch.inference_mode(mode=False):
                    self._accumulator = get_gradient_edge(self._parameter).node
                self._handles.append(self._accumulator.register_prehook(guard(self._add)))

    def step(self) -> None:
        """Called at the optimizer's step, when the gradient is the one that it uses."""
        if self._made is not None:
            self._met = self._piece()

    @property
    def parameter(self) -> Tensor | None:
        """The one that is followed."""
        return self._parameter

    def read(self) -> tuple[list[float], list[float]]:
        """Numbers of the gradient as it was made, and as the optimizer met it; none where they are not known. Waits for
        the device."""
        if self._made is None or self._met is None:
            return [], []
        return self._made.tolist(), self._met.tolist()

    @property
    def is_sum(self) -> bool:
        """Whether the gradient was the sum of what the backward passes added since this was made; waits for the device.

        It is not where it was not emptied before the first of them, or was between two, as by SAM.
        """
        if self._accumulator is None:
            return True
        if self._made is None or not self._added:
            return False
        added = torch.stack(self._added)
        tolerance = max(_SAME, _ROUNDINGS * self._precision)
        return bool((self._made - added.sum(0)).norm() <= tolerance * added.norm())

    def remove(self) -> None:
        """Remove the hooks from the parameter."""
        for handle in self._handles:
            handle.remove()

    def _add(self, gradients: tuple[Tensor | None, ...]) -> None:
        (gradient,) = gradients
        if gradient is not None:
            self._precision = max(self._precision, torch.finfo(gradient.dtype).eps)
            self._added.append(_piece(gradient))

    def _note(self) -> None:
        self._made = self._piece()

    def _piece(self) -> Tensor | None:
        gradient = None if self._parameter is None else self._parameter.grad
        return None if gradient is None else _piece(gradient)


def _piece(gradient: Tensor) -> Tensor:
    return wide(local(gradient).detach()).flatten()[:_PIECE].float().clone()


def ratio(made: float, met: float) -> float | None:
    """The factor that undoes a change of the gradients; None where it is not known."""
    return made / met if met > 0.0 and math.isfinite(made / met) else None
