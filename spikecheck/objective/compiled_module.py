"""Any model's gradient, traced through autograd once and compiled for tensors of fixed sizes; uncompiled where that fails
or computes something else.

For a user's module on a few dozen points, most of a step is the bookkeeping of `vmap` and autograd, which a kernel avoids.
Matrix products are not changed, so networks that consist mostly of them gain least.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.tensors.compile import CannotTrace, compiled

_SMALL = 0.3
"""Size of the parameters at which a kernel is compared with autograd: neither saturated nor zero in common layers."""

Step = Callable[..., Sequence[Tensor]]


@dataclass(frozen=True, eq=False)
class Traced:
    """Compiled gradients of losses. `losses` takes parameters, inputs and targets.

    Axes: B members, P parameters, N points, D inputs.
    """

    losses: Callable[[Tensor, Tensor, Tensor], Tensor]
    x: Float[Tensor, "#B N D"]
    y: Tensor
    signature: str
    """Identifies everything else that the losses depend on: one kernel serves all objectives of a signature."""

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
                kernel = compiled(self._step, example, of_all_sizes=False)
                _KERNELS[key] = kernel if self._agrees(kernel, params) else self._step
            except CannotTrace:  # the same source fails every time, so it is always trained in the same way
                _KERNELS[key] = self._step
        return _KERNELS[key]

    def _agrees(self, kernel: Step, like: Float[Tensor, "B P"]) -> bool:
        """Whether a kernel's gradient is autograd's up to rounding, at parameters that are always the same.

        It was not for torch's GRU, which writes into its own tensors, until `compiled` took such writes out of the graph.
        """
        drawn = torch.randn(like.shape, generator=torch.Generator().manual_seed(0), dtype=like.dtype).mul_(_SMALL)
        (_, ours), (_, autograds) = (step(drawn, self.x, self.y) for step in (kernel, self._step))
        rounding = torch.finfo(like.dtype).eps ** 0.5 * float(autograds.abs().nan_to_num().max())
        return torch.allclose(ours, autograds, rtol=0.0, atol=rounding, equal_nan=True)

    def _step(self, params: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        here = params.detach().requires_grad_()
        losses = self.losses(here, x, y)
        (gradients,) = torch.autograd.grad(losses.sum(), here)
        return losses.detach(), gradients


_KERNELS: dict[tuple[object, ...], Step] = {}
