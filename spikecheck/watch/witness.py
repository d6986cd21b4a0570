"""Measures by which factor clipping changed gradients, from the gradient of one parameter."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from spikecheck.watch.layers import wide
from spikecheck.watch.local_hook import LocalHook
from spikecheck.watch.shards import local

Guard = Callable[[Callable[..., None]], Callable[..., None]]
"""Wraps a function so that it never raises."""

_LARGE_ENOUGH = 16
"""Least size of the followed parameter, if the model has one so large: a single number may have no gradient."""
_PIECE = 64
"""Numbers of it that are kept: processes send them to one another."""


class Witness:
    """Remembers a piece of one small parameter's gradient as the backward pass made it, until the optimizer's step.

    Clipping by norm scales all gradients by the same factor, so one parameter is enough.
    """

    def __init__(self, parameters: Sequence[Tensor], guard: Guard) -> None:
        trained = [parameter for parameter in parameters if parameter.requires_grad and parameter.is_leaf]
        self._parameter = min(trained, key=lambda p: (p.numel() < _LARGE_ENOUGH, p.numel()), default=None)
        self._made: Tensor | None = None
        self._met: Tensor | None = None
        if self._parameter is not None:
            register: Any = self._parameter.register_post_accumulate_grad_hook
            self._handle = register(LocalHook(guard(self._note)))

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

    def remove(self) -> None:
        """Remove the hook from the parameter."""
        if self._parameter is not None:
            self._handle.remove()

    def _note(self) -> None:
        self._made = self._piece()

    def _piece(self) -> Tensor | None:
        gradient = None if self._parameter is None else self._parameter.grad
        if gradient is None:
            return None
        return wide(local(gradient).detach()).flatten()[:_PIECE].float().clone()


def ratio(made: float, met: float) -> float | None:
    """The factor that undoes a change of the gradients; None where it is not known."""
    return made / met if met > 0.0 and math.isfinite(made / met) else None
