"""Each of `Shallow`'s passes as one compiled kernel: it takes a third of the time, and products cost little more.

Members come last. A member's bits depend neither on the number of members nor on its place among them
(tests/objective/test_compiled_shallow.py). They differ from those of the uncompiled passes in the last digit, so a run's
digest says which passes were used. For short trainings, compiling takes longer than it saves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.objective.analytic_shallow import Shallow
from spikecheck.objective.shallow_kernel import ShallowKernel, shallow_kernel
from spikecheck.objective.shallow_passes import JETS, forward_over_reverse, reverse
from spikecheck.objective.shallow_products import ShallowProducts, shallow_products
from spikecheck.tensors.compile import compiled
from spikecheck.tensors.kernel import Bound, Kernel

Pass = Callable[..., tuple[Tensor, ...]]


@dataclass(frozen=True, eq=False)
class Fused(Shallow):
    """`Shallow` with compiled losses and gradients, and with Hessian-vector products."""

    def gradient(self, params: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's loss and its gradient."""
        kernel = self._written
        laid = self._laid(params.T) if kernel is None else self._split(self._columns(params.T))
        losses, gradients, *_ = (kernel or self._kernel(reverse))(*laid, *self._points)
        return losses[: self.members], gradients[:, : self.members].T.contiguous()

    def bound(self, params: Float[Tensor, "B P"]) -> tuple[Bound, Float[Tensor, "P C"]] | None:
        """`gradient` as machine code bound to a copy of the parameters, and that copy, members last; None if not possible.

        Its first two results are losses [C] and gradients [P, C] at the copy's values at the time of the call.
        """
        # A copy: for a single member the columns are the caller's own rows, and the bound kernel's user writes there.
        columns = self._columns(params.T).clone()
        kernel = (self._written or self._kernel(reverse)).bound(*self._split(columns), *self._points)
        return None if kernel is None else (kernel, columns)

    def gradient_and_products(
        self, params: Float[Tensor, "B P"], vectors: Float[Tensor, "B K P"]
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], Float[Tensor, "B K P"]]:
        """Every member's loss, its gradient, and its Hessian times K vectors."""
        if (written := self._written_products) is not None:
            at, along = self._columns(params.T), self._columns(vectors.permute(1, 2, 0))
            losses, gradients, images = written(at, along, *self._points)
        else:
            kernel = self._kernel(forward_over_reverse, vectors.shape[1] == 1)
            laid = *self._laid(params.T), *self._laid(vectors.permute(1, 2, 0))
            losses, gradients, images, *_ = kernel(*laid, *self._points)
        # Views: callers of products also keep members last, and copies would take a tenth of a step.
        return losses[: self.members], gradients[:, : self.members].T, images[..., : self.members].permute(2, 0, 1)

    @property
    def _written(self) -> ShallowKernel | None:
        """`reverse` in C++, where this machine can have it."""
        return shallow_kernel(self.model.activation, self.x.dtype)

    @property
    def _written_products(self) -> ShallowProducts | None:
        """`forward_over_reverse` in C++, likewise."""
        return shallow_products(self.model.activation, self.x.dtype)

    def _kernel(self, function: Pass, one: bool = False) -> Kernel:
        model = self.model
        return _kernel(function, model.activation, model.output_bias, self.x.dtype, torch.get_num_threads(), one)

    def _split(self, columns: Float[Tensor, "P C"]) -> tuple[Float[Tensor, "3 W C"], Float[Tensor, "S C"]]:
        """The neurons' parameters and the output biases, without a copy."""
        width = self.model.sizes[1]
        return columns[: 3 * width].view(3, width, -1), columns[3 * width :]

    def _laid(self, rows: Float[Tensor, "*K P B"]) -> tuple[Float[Tensor, "*K 3 W C"], Float[Tensor, "*K S C"]]:
        """The neurons' parameters and the output biases, both contiguous, as kernels need them."""
        columns, width = self._columns(rows), self.model.sizes[1]
        neurons, shift = columns.split_with_sizes([3 * width, columns.shape[-2] - 3 * width], -2)
        shape = (*rows.shape[:-2], 3, width, columns.shape[-1])
        return neurons.reshape(shape).contiguous(), shift.contiguous()

    @cached_property
    def _points(self) -> tuple[Float[Tensor, "N 1 C"], Float[Tensor, "N C"]]:
        """Inputs and targets with one column per member, even where all members share them: one kernel serves both cases."""
        x, y = super()._points
        return tuple(part.expand(*part.shape[:-1], self._capacity).contiguous() for part in (x, y))  # type: ignore[return-value]


@lru_cache(maxsize=64)
def _kernel(function: Pass, activation: str, bias: bool, dtype: torch.dtype, threads: int, one: bool) -> Kernel:
    """One of the passes, compiled for all widths; with `one` for a single vector, which is a tenth faster."""
    points, width, columns, vectors = 40, 50, 32, 1 if one else 8  # any other sizes would do
    layers = torch.zeros(3, width, columns, dtype=dtype)
    shift = layers.new_zeros(int(bias), columns)
    along = [t.new_zeros(vectors, *t.shape) for t in (layers, shift)] if function is forward_over_reverse else []
    data = layers.new_zeros(points, 1, columns), layers.new_zeros(points, columns)
    return compiled(partial(function, JETS[activation]), [layers, shift, *along, *data], of_all_sizes=True)
