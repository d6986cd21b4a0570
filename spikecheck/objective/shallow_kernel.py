"""`shallow_passes.reverse` written in C++ (`shallow_kernel.cpp`): the bits of inductor's kernel in half the time.

Inductor writes every neuron's value at every point to memory and reads it back three times; here a point's values stay in the
first cache. A second of compiling replaces torch's compiler, whose import alone takes longer.
"""

import ctypes
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.objective.shallow_library import Pass, address, shallow_library
from spikecheck.tensors.kernel import Bound

_TOGETHER = 8
"""Eight points took nine tenths of the time of four, and seven of one (AVX2)."""
_PASS = Pass(Path(__file__).with_name("shallow_kernel.cpp"), derivatives=1, together=_TOGETHER)


@dataclass(frozen=True)
class ShallowKernel:
    """Machine code for one activation and one type of numbers."""

    call: "ctypes._NamedFuncPointer"
    exponential: int
    """The address of a function in torch's library."""
    lanes: int

    def bound(
        self,
        layers: Float[Tensor, "3 W C"],
        shift: Float[Tensor, "S C"],
        x: Float[Tensor, "N 1 C"],
        y: Float[Tensor, "N C"],
    ) -> Bound:
        """The kernel with all that it is called with. Its results, losses [C] and gradients [P, C], are of these values."""
        (_, width, columns), points = layers.shape, len(x)
        losses, gradients = layers.new_empty(columns), layers.new_empty(3 * width + len(shift), columns)
        room = layers.new_empty(((6 + 2 * _TOGETHER) * width + 2 * points) * self.lanes)
        tensors = (layers, shift, x, y, losses, gradients, room)
        addresses = (part.data_ptr() for part in tensors)
        arguments = (self.exponential, *addresses, points, width, columns, len(shift))
        self.call(*map(ctypes.c_int64, arguments))
        return Bound(address(self.call), arguments, (losses, gradients), tensors)

    def __call__(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Losses [C] and gradients [P, C], of what `bound` takes."""
        return self.bound(*tensors).results


@lru_cache(maxsize=16)
def shallow_kernel(activation: str, dtype: torch.dtype) -> ShallowKernel | None:
    """The kernel for these; None where there can be none, or where compiling fails."""
    library = shallow_library(_PASS, activation, dtype)
    if library is None:
        return None
    call = library.functions["kernel"]
    call.restype = None
    return ShallowKernel(call, library.exponential, library.lanes)
