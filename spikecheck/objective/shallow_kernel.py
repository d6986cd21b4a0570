"""`shallow_passes.reverse` written in C++ (`shallow_kernel.cpp`): the bits of inductor's kernel in half the time.

Inductor writes every neuron's value at every point to memory and reads it back three times; here a point's values stay in the
first cache. A second of compiling replaces torch's compiler, whose import alone takes longer. Exponentials are torch's own
(SLEEF's), which inductor calls as well. Where they can't be had, as on processors other than x86-64, there is no such kernel.
"""

import ctypes
import math
import platform
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.objective.shallow_passes import JETS
from spikecheck.tensors.cpp_library import library_of
from spikecheck.tensors.cpp_source import statements
from spikecheck.tensors.kernel import Bound

_SOURCE = Path(__file__).with_name("shallow_kernel.cpp")
_NUMBER = {torch.float64: "double", torch.float32: "float"}
_REGISTER = {"AVX2": 32}
"""Bytes of a vector register, by what torch calls the processor's instructions. With others, such as AVX512, the bits have not
been compared with inductor's yet, and inductor's kernel is used."""
_EXPONENTIAL = {
    ("AVX2", torch.float64): "Sleef_expd4_u10",
    ("AVX2", torch.float32): "Sleef_expf8_u10",
}
_TOGETHER = 8
"""TOGETHER in the source: points computed at once. Eight took nine tenths of the time of four, and seven of one (AVX2)."""
_CHECKED = 2**12
_EXTREMES = (0.0, -0.0, 1.0, 709.78, 709.79, -708.4, -744.4, -745.2, -999.0, -1001.0, 1e-320, 1e300, -1e300)
_NOT_FINITE = (math.inf, -math.inf, math.nan)
"""With `_EXTREMES` sixteen numbers, which fill registers of any size."""


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
        return Bound(_address(self.call), arguments, (losses, gradients), tensors)

    def __call__(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Losses [C] and gradients [P, C], of what `bound` takes."""
        return self.bound(*tensors).results


@lru_cache(maxsize=16)
def shallow_kernel(activation: str, dtype: torch.dtype) -> ShallowKernel | None:
    """The kernel for these; None where there can be none, or where compiling fails."""
    capability = torch.backends.cpu.get_cpu_capability()
    if platform.machine() != "x86_64" or capability not in _REGISTER:
        return None
    register = _REGISTER[capability]
    inlined, plain = (_source(activation, dtype, register, inlined=own) for own in (dtype == torch.float64, False))
    try:
        torchs = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        exponential = _address(torchs[_EXPONENTIAL[capability, dtype]])
        library = library_of(inlined)
        if not _same_exponentials(library, exponential, dtype, register):
            library = library_of(plain)
        call = library["kernel"]
    except (OSError, AttributeError, subprocess.SubprocessError):  # a full disk, no such function, a failing compiler
        return None
    call.restype = None
    return ShallowKernel(call, exponential, register // dtype.itemsize)


def _source(activation: str, dtype: torch.dtype, register: int, *, inlined: bool) -> str:
    head = f"#define NUMBER {_NUMBER[dtype]}\n#define BYTES {register}\n#define INLINED {int(inlined)}\n"
    tail = "\n".join(_activation(activation, copies) for copies in (1, _TOGETHER // 2, _TOGETHER))
    return head + _SOURCE.read_text(encoding="utf-8") + tail


def _activation(name: str, copies: int) -> str:
    lines = statements(JETS[name], "x[$]", ["value[$]", "slope[$]"], copies)
    body = "\n".join(f"    {line}" for line in lines)
    head = f"template <>\ninline void activation<{copies}>(Exponential exponential, const V* x, V* value, V* slope)"
    return f"{head} {{\n{body}\n}}\n"


def _same_exponentials(library: ctypes.CDLL, exponential: int, dtype: torch.dtype, register: int) -> bool:
    """Whether the library's exponentials are torch's to the last bit, where it has its own."""
    drawn = torch.randn(_CHECKED, generator=torch.Generator().manual_seed(0), dtype=dtype)
    numbers = torch.cat([drawn, drawn * 300, drawn / 2**30, drawn.new_tensor(_EXTREMES + _NOT_FINITE)])
    ours, theirs = torch.empty_like(numbers), torch.empty_like(numbers)
    for results, own in ((ours, 1), (theirs, 0)):
        given = (exponential, numbers.data_ptr(), results.data_ptr(), numbers.nbytes // register, own)
        library["exponentials"](*map(ctypes.c_int64, given))
    return torch.equal(ours.nan_to_num(nan=-1.0), theirs.nan_to_num(nan=-1.0))


def _address(function: Callable[..., object]) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0  # type: ignore[arg-type]
