"""`shallow_passes.forward_over_reverse` written in C++ (`shallow_products.cpp`), with the bits of inductor's kernel.

It spares what `shallow_kernel` spares: the memory that inductor writes between its loops, and torch's compiler, which took a
process ten seconds and more where nothing was cached.
"""

import ctypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.objective.shallow_library import Pass, shallow_library

_TOGETHER = 4
_PASS = Pass(Path(__file__).with_name("shallow_products.cpp"), derivatives=2, together=_TOGETHER)
_ARGUMENTS = 14


@dataclass(frozen=True)
class ShallowProducts:
    """Machine code for one activation and one type of numbers."""

    call: "ctypes._NamedFuncPointer"
    exponential: int
    """The address of a function in torch's library."""
    lanes: int

    def __call__(
        self,
        params: Float[Tensor, "P C"],
        along: Float[Tensor, "K P C"],
        x: Float[Tensor, "N 1 C"],
        y: Float[Tensor, "N C"],
    ) -> tuple[Float[Tensor, " C"], Float[Tensor, "P C"], Float[Tensor, "K P C"]]:
        """Losses, gradients, and every column's Hessian times K vectors. All tensors are contiguous."""
        (size, columns), points, vectors = params.shape, len(x), len(along)
        width, biases = divmod(size, 3)
        losses, gradients, images = params.new_empty(columns), torch.empty_like(params), torch.empty_like(along)
        registers = (6 + 3 * _TOGETHER + 6 * vectors) * width + 2 * points + (3 + _TOGETHER) * vectors
        room = params.new_empty(registers * self.lanes)
        tensors = (params, along, x, y, losses, gradients, images, room)
        self.call(self.exponential, *(part.data_ptr() for part in tensors), points, width, columns, biases, vectors)
        return losses, gradients, images


@lru_cache(maxsize=16)
def shallow_products(activation: str, dtype: torch.dtype) -> ShallowProducts | None:
    """The machine code for these; None where there can be none, or where compiling fails."""
    library = shallow_library(_PASS, activation, dtype)
    if library is None:
        return None
    call = library.functions["products"]
    call.restype, call.argtypes = None, [ctypes.c_int64] * _ARGUMENTS
    return ShallowProducts(call, library.exponential, library.lanes)
