"""Measures by which factor clipping changed gradients, from the gradient of one parameter."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from spikecheck.watch.local_hook import LocalHook

Guard = Callable[[Callable[..., None]], Callable[..., None]]
"""Wraps a function so that it never raises."""

_LARGE_ENOUGH = 16
"""Preferred least size of the observed parameter: the gradient of a single number may be zero."""


class Witness:
    """Compares the gradient norm of one small parameter after the backward pass and at the optimizer's step.

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
        """Read the gradient norm at the optimizer's step."""
        if self._parameter is not None and self._parameter.grad is not None and self._made is not None:
            self._met = self._parameter.grad.detach().float().norm()

    def factor(self) -> float | None:
        """The factor that undoes the change; None if unknown. Waits for the device."""
        if self._made is None or self._met is None:
            return None
        made, met = float(self._made), float(self._met)
        return made / met if met > 0.0 and math.isfinite(made / met) else None

    def remove(self) -> None:
        """Remove the hook from the parameter."""
        if self._parameter is not None:
            self._handle.remove()

    def _note(self) -> None:
        gradient = None if self._parameter is None else self._parameter.grad
        if gradient is not None and not gradient.is_sparse:
            self._made = gradient.detach().float().norm()
