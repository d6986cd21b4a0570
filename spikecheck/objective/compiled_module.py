"""Any model's gradient, traced through autograd once and compiled for tensors of these sizes; as it is where that fails.

Of a step of a user's own module on a few dozen points most is bookkeeping, of `vmap` and of autograd; a kernel has none.
Products of matrices stay what they are, so networks that are mostly those gain least.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.tensors.compile import CannotTrace, compiled

LONG = 5_000
"""Updates from which on it is worth it: seconds of compiling, for a millisecond or two an update (`nox -s bench`)."""


Step = Callable[..., Sequence[Tensor]]


@dataclass(frozen=True, eq=False)
class Traced:
    """Gradients only. `losses` takes parameters, inputs and targets.

    Axes: B members, P parameters, N points, D inputs.
    """

    losses: Callable[[Tensor, Tensor, Tensor], Tensor]
    x: Float[Tensor, "#B N D"]
    y: Tensor
    signature: str
    """Of what else the losses depend on: one kernel serves all objectives of a signature."""

    def gradient(self, params: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's loss and its gradient."""
        params = params.detach().contiguous()
        losses, gradients = self._kernel(params)(params, self.x, self.y)
        return losses, gradients

    def _kernel(self, params: Float[Tensor, "B P"]) -> Step:
        example = (params, self.x, self.y)
        key = (self.signature, torch.get_num_threads(), *((tuple(part.shape), part.dtype) for part in example))
        if key not in _KERNELS:
            try:
                _KERNELS[key] = compiled(self._step, example, of_all_sizes=False)
            except CannotTrace:  # today as tomorrow: the same source is always trained in the same way
                _KERNELS[key] = self._step
        return _KERNELS[key]

    def _step(self, params: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        here = params.detach().requires_grad_()
        losses = self.losses(here, x, y)
        (gradients,) = torch.autograd.grad(losses.sum(), here)
        return losses.detach(), gradients


_KERNELS: dict[tuple[object, ...], Step] = {}
