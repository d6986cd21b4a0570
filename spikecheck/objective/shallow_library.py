"""A shallow network's passes written in C++ (`shallow_kernel.cpp`, `shallow_products.cpp`), compiled once per machine.

Exponentials are torch's own (SLEEF's), which inductor calls as well. Where they can't be had, as on processors other than
x86-64, there are no such passes.
"""

import ctypes
import math
import platform
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from spikecheck.objective.shallow_passes import JETS
from spikecheck.tensors.cpp_library import library_of
from spikecheck.tensors.cpp_source import statements

_SOURCE = Path(__file__).with_name("shallow_vector.cpp")
_NUMBER = {torch.float64: "double", torch.float32: "float"}
_REGISTER = {"AVX2": 32, "AVX512": 64}
"""Bytes of a vector register, by what torch calls the processor's instructions. With others the bits have not been compared
with inductor's, and inductor's kernel is used."""
_EXPONENTIAL = {
    ("AVX2", torch.float64): "Sleef_expd4_u10",
    ("AVX2", torch.float32): "Sleef_expf8_u10",
    ("AVX512", torch.float64): "Sleef_expd8_u10",
    ("AVX512", torch.float32): "Sleef_expf16_u10",
}
_CHECKED = 2**12
_EXTREMES = (0.0, -0.0, 1.0, 709.78, 709.79, -708.4, -744.4, -745.2, -999.0, -1001.0, 1e-320, 1e300, -1e300)
_NOT_FINITE = (math.inf, -math.inf, math.nan)
"""With `_EXTREMES` sixteen numbers, which fill registers of any size."""
_PARTS = ("value", "slope", "curve")


@dataclass(frozen=True)
class Pass:
    """The source of a pass."""

    file: Path
    derivatives: int
    """Of the activation, that it needs: 1 or 2."""
    together: int
    """TOGETHER in the source: points computed at once, a multiple of 2."""


@dataclass(frozen=True)
class ShallowLibrary:
    """A pass as machine code, for one activation and one type of numbers."""

    functions: ctypes.CDLL
    exponential: int
    """The address of a function in torch's library."""
    lanes: int


def shallow_library(one: Pass, activation: str, dtype: torch.dtype) -> ShallowLibrary | None:
    """The pass for these; None where there can be none, or where compiling fails."""
    capability = torch.backends.cpu.get_cpu_capability()
    if platform.machine() != "x86_64" or capability not in _REGISTER:
        return None
    register = _REGISTER[capability]
    inlined, plain = (_source(one, activation, dtype, register, inlined=own) for own in (dtype == torch.float64, False))
    try:
        torchs = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        exponential = address(torchs[_EXPONENTIAL[capability, dtype]])
        library = library_of(inlined)
        if not _same_exponentials(library, exponential, dtype, register):
            library = library_of(plain)
    except (OSError, AttributeError, subprocess.SubprocessError):  # a full disk, no such function, a failing compiler
        return None
    return ShallowLibrary(library, exponential, register // dtype.itemsize)


def address(function: Callable[..., object]) -> int:
    """Where a function's machine code begins."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0  # type: ignore[arg-type]


def _source(one: Pass, activation: str, dtype: torch.dtype, register: int, *, inlined: bool) -> str:
    constants = {"NUMBER": _NUMBER[dtype], "BYTES": register, "INLINED": int(inlined), "TOGETHER": one.together}
    head = "".join(f"#define {name} {value}\n" for name, value in constants.items())
    tail = "\n".join(
        _activation(activation, one.derivatives, copies) for copies in (1, one.together // 2, one.together)
    )
    return head + _SOURCE.read_text(encoding="utf-8") + one.file.read_text(encoding="utf-8") + tail


def _activation(name: str, derivatives: int, copies: int) -> str:
    parts = _PARTS[: 1 + derivatives]
    lines = statements(JETS[name], "x[$]", [f"{part}[$]" for part in parts], copies)
    body = "\n".join(f"    {line}" for line in lines)
    results = ", ".join(f"V* {part}" for part in parts)
    head = f"template <>\ninline void activation<{copies}>(Exponential exponential, const V* x, {results})"
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
