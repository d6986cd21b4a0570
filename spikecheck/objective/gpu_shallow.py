"""`Shallow`'s passes on a GPU: one kernel per gradient instead of fifteen, and Hessian-vector products without a graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.models.mlp import MLP
from spikecheck.objective.analytic_shallow import Shallow

WIDEST = 4_096
"""The most neurons for which a member's parameters fit into the registers of one program."""
_MOST_GROUPS = 8
"""The most tensors over which one kind of parameter is spread: with more, registers spill."""
_WARP = 32


def triton_version() -> str:
    """The version of Triton, which compiles kernels and comes with torch's CUDA builds; empty without Triton."""
    return str(import_module("triton").__version__) if find_spec("triton") else ""


@dataclass(frozen=True)
class Layout:
    """The distribution of neurons over a program's lanes. It follows from the width alone, and so do a member's bits."""

    group: int
    """Neurons that lie across lanes at a time: a power of two."""
    groups: int
    """Groups that hold all neurons."""
    together: int
    """Members per program."""
    warps: int

    @staticmethod
    def of(width: int) -> "Layout":
        """The layout that wastes the fewest lanes and, among those, uses the fewest registers.

        >>> Layout.of(20), Layout.of(200).groups
        (Layout(group=4, groups=5, together=8, warps=1), 7)
        """
        sizes = [2**power for power in range(width.bit_length() + 1) if -(-width // 2**power) <= _MOST_GROUPS]
        group = min(sizes, key=lambda size: (-(-width // size) * size, -size))
        return Layout(group, -(-width // group), max(1, _WARP // group), max(1, group // _WARP))


@dataclass(frozen=True, eq=False)
class ShallowGpu(Shallow):
    """`Shallow` on a GPU, with Hessian-vector products."""

    @staticmethod
    def fits(model: MLP, loss: str) -> bool:
        """Whether `Shallow` supports the model and loss, and a member's parameters fit into registers."""
        return Shallow.fits(model, loss) and model.sizes[1] <= WIDEST

    def gradient(self, params: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's loss and its gradient."""
        params = params.contiguous()
        losses, gradients = params.new_empty(len(params)), torch.empty_like(params)
        from spikecheck.kernels import shallow as kernels  # noqa: PLC0415  needs triton

        kernels.gradient[self.programs](params, losses, gradients, **self.arguments)
        return losses, gradients

    def gradient_and_products(
        self, params: Float[Tensor, "B P"], vectors: Float[Tensor, "B K P"]
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], Float[Tensor, "B K P"]]:
        """Every member's loss, its gradient, and its Hessian times K vectors."""
        params, vectors = params.contiguous(), vectors.contiguous()
        losses, gradients, images = params.new_empty(len(params)), torch.empty_like(params), torch.empty_like(vectors)
        from spikecheck.kernels import shallow as kernels  # noqa: PLC0415  needs triton

        grid = (*self.programs, vectors.shape[1])
        kernels.products[grid](params, vectors, losses, gradients, images, **self.arguments)
        return losses, gradients, images

    @property
    def programs(self) -> tuple[int]:
        """The grid of a kernel: its number of programs."""
        return (-(-self.members // self.layout.together),)

    @cached_property
    def layout(self) -> Layout:
        """The layout for this network's width."""
        return Layout.of(self.model.sizes[1])

    @cached_property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments common to all kernels: points, sizes, and compile-time constants."""
        x, y = (part.squeeze(2).contiguous() for part in (self.x, self.y))
        points = x.shape[1]
        return {
            "x": x,
            "y": y,
            "x_hop": points if len(x) > 1 else 0,
            "y_hop": points if len(y) > 1 else 0,
            "members": self.members,
            "points": points,
            "width": self.model.sizes[1],
            "size": self.model.size,
            "GROUP": self.layout.group,
            "GROUPS": self.layout.groups,
            "TOGETHER": self.layout.together,
            "BIAS": self.model.output_bias,
            "ACTIVATION": self.model.activation,
            "num_warps": self.layout.warps,
            "enable_fp_fusion": True,  # a multiplication and an addition round once; Triton's default may change
        }
