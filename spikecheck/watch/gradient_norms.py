"""Whether gradients were changed between the backward pass and the optimizer's step, and whether by one factor for all."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from spikecheck.watch.layers import wide
from spikecheck.watch.local_hook import LocalHook
from spikecheck.watch.shards import local
from spikecheck.watch.witness import Guard

_SAME = 1e-4
"""Relative difference of two factors that rounding makes in single precision."""
_ROUNDINGS = 4.0
"""Units in the last place by which the norm of a gradient in lower precision may differ after scaling."""
_NEGLIGIBLE = 1e-5
"""Norm of one parameter's gradient over that of all, below which its factor is rounding."""
_SMALL, _LARGE = 1e-12, 1e15
"""Between these, the squares of a gradient of this norm are in single precision's range, up to 1e14 numbers of it."""


class GradientNorms:
    """The norm of every parameter's gradient as the backward pass made it, until the optimizer's step.

    Clipping by norm and unscaling multiply all gradients by one factor. Clipping by value or by layer, noise and centring do
    not.
    """

    def __init__(self, parameters: Sequence[Tensor], guard: Guard) -> None:
        self._parameters = list(parameters)
        self._made: dict[int, Tensor | float] = {}
        self._types: set[torch.dtype] = set()
        """Of the gradients."""
        trained = [parameter for parameter in parameters if parameter.requires_grad and parameter.is_leaf]
        self._handles = [self._hooked(one, LocalHook(guard(partial(self._note, one)))) for one in trained]

    def remove(self) -> None:
        """Remove the hooks from the parameters."""
        for handle in self._handles:
            handle.remove()

    def one_factor(self, parameters: Sequence[Tensor], met: Sequence[float | None]) -> bool:
        """Whether gradients, of norms `met` in the optimizer's step, were all multiplied by one factor; waits for the device.

        False where a gradient is there that no backward pass made since: nothing is known of it.
        """
        norms = [None if norm is None else self._made.get(id(one)) for one, norm in zip(parameters, met, strict=True)]
        if any(made is None and norm for made, norm in zip(norms, met, strict=True)):
            return False
        pairs = [
            (float(made), norm) for made, norm in zip(norms, met, strict=True) if made is not None and norm is not None
        ]
        coarsest = max((torch.finfo(one).eps for one in self._types), default=0.0)
        return _alike(pairs, max(_SAME, _ROUNDINGS * coarsest))

    def _hooked(self, parameter: Any, hook: LocalHook) -> Any:
        return parameter.register_post_accumulate_grad_hook(hook)

    def _note(self, parameter: Tensor) -> None:
        if parameter.grad is not None:
            gradient = local(parameter.grad).detach()
            self._types.add(gradient.dtype)
            self._made[id(parameter)] = _norm(wide(gradient))


def _norm(gradient: Tensor) -> Tensor | float:
    """In double precision where squares leave the range of single: of a gradient that a scaler multiplied by 2^65 they do.

    On a CPU single precision is tried first, which takes a third of the time; elsewhere that would wait for the device.
    """
    if gradient.device.type == "cpu":
        norm = float(torch.linalg.vector_norm(gradient))
        if _SMALL < norm < _LARGE:
            return norm
    double = None if gradient.device.type == "mps" else torch.float64
    norm_there: Tensor = torch.linalg.vector_norm(gradient, dtype=double)
    return norm_there


def _alike(pairs: Sequence[tuple[float, float]], tolerance: float) -> bool:
    """Whether all pairs of norms have one ratio, up to rounding; a norm that is negligible among its own may have any."""
    largest = [max(column, default=0.0) for column in zip(*pairs, strict=True)]
    counted = [pair for pair in pairs if any(one > _NEGLIGIBLE * most for one, most in zip(pair, largest, strict=True))]
    if not all(made > 0.0 and met > 0.0 for made, met in counted):
        return False
    factors = [made / met for made, met in counted]
    return not factors or max(factors) <= (1.0 + tolerance) * min(factors)
