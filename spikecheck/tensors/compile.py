"""Compiles functions of tensors to machine code by torch's inductor, once per process, on request for all sizes.

A kernel takes two or three seconds to compile, or some tenths of a second when another process has compiled it before. It is
vectorised along the last axis and masked at that axis's end, so a number's bits depend neither on the axis's length nor on
its place.
"""

import ctypes
import logging
import os
import shutil
import subprocess
import sysconfig
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from spikecheck.core.activity import busy
from spikecheck.core.errors import UsageError


class Kernel:
    """A compiled function. Called with tensors, it returns new ones; bound to tensors, machine code can call it."""

    def __init__(self, graph: Any) -> None:
        """`graph` is inductor's result for a traced function."""
        self._graph = graph

    def __call__(self, *tensors: Tensor) -> Sequence[Tensor]:
        """The function's results."""
        return self._graph(list(tensors))  # type: ignore[no-any-return]

    def bound(self, *tensors: Tensor) -> "Bound | None":
        """The kernel's machine code bound to these tensors, with the tensors that receive its results.

        None where inductor did not compile the function to exactly one loop nest in C++, which alone can be called directly.
        """
        call = getattr(self._graph, "current_callable", None)
        names = getattr(getattr(call, "__func__", None), "__globals__", {})
        kernels = [name for name in names if name.startswith("cpp_fused")]
        if len(kernels) != 1:
            return None
        (name,) = kernels
        binding, heard = names[name], list[tuple[Any, ...]]()

        def listening(*arguments: Any) -> None:
            heard.append(arguments)
            binding(*arguments)

        names[name] = listening
        try:
            results = self(*tensors)
        finally:
            names[name] = binding
        library = getattr(getattr(binding, "__self__", None), "__file__", None)
        if len(heard) != 1 or library is None:
            return None
        address = ctypes.cast(ctypes.CDLL(library)["kernel"], ctypes.c_void_p).value
        given = [part.data_ptr() if isinstance(part, Tensor) else int(part) for part in heard[0]]
        ours = {tensor.data_ptr() for tensor in tensors if tensor.numel()}
        if address is None or not ours.issubset(given):  # the kernel received a copy of a tensor
            return None
        return Bound(address, tuple(given), tuple(results), (*heard[0], *tensors))


@dataclass(frozen=True)
class Bound:
    """A kernel's machine code with all arguments of its calls."""

    address: int
    arguments: tuple[int, ...]
    """Addresses and sizes."""
    results: tuple[Tensor, ...]
    """Every call overwrites them."""
    kept: tuple[Any, ...]
    """The owners of the memory behind the addresses."""


_OPTIONS = {
    # Inductor would store a value that is read twice and depends on four or more others; here recomputing it is faster.
    "realize_reads_threshold": 1_000,
    "realize_opcount_threshold": 1_000,
    # Callers guarantee the sizes; checking them would take a twentieth of a small step.
    "size_asserts": False,
}
_TRUSTING = {} if "TORCHINDUCTOR_VEC_ISA_OK" in os.environ else {"cpp.vec_isa_ok": True}
"""Assume that the compiler supports the processor's vector instructions; torch would compile a test program to find out."""
_IMPORTED = ("torch._guards", "torch._inductor.compile_fx", "torch.fx.experimental.symbolic_shapes")


@lru_cache(maxsize=1)
def compiler() -> str:
    """The C++ compiler that torch calls, with its version; empty without one, or when $SPIKECHECK_COMPILE is 0.

    Raises:
        UsageError: when $SPIKECHECK_COMPILE is 1 and something is missing, or when it is neither 0 nor 1.
    """
    asked = os.environ.get("SPIKECHECK_COMPILE", "")
    if asked not in ("", "0", "1"):
        raise UsageError(f"SPIKECHECK_COMPILE={asked!r}: give 0 to disable compiling, 1 to require it, or leave it out")
    if asked == "0":
        return ""
    named = os.environ.get("CXX", "g++")
    path = shutil.which(named)
    missing = ""
    if path is None:
        missing = f"there is no {named}; install it, or set CXX"
    elif not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        missing = "Python.h is missing; install Python's development package (python3-dev)"
    if missing and asked:
        raise UsageError(f"SPIKECHECK_COMPILE=1: {missing}")
    if missing or path is None:
        return ""
    told = subprocess.run([path, "-dumpfullversion", "-dumpversion"], capture_output=True, text=True, check=False)
    return f"{Path(path).name} {told.stdout.strip()}" if told.returncode == 0 else ""


class CannotTrace(UsageError):
    """A function cannot be traced."""


def compiled(function: Callable[..., Sequence[Tensor]], example: Sequence[Tensor], of_all_sizes: bool) -> Kernel:
    """Compile the function for contiguous tensors like those of the example.

    With `of_all_sizes`, the kernel serves all sizes with the same types and numbers of axes. An axis of length 0 or 1 in the
    example must always have that length; the lengths of all others should differ from one another.

    Raises:
        CannotTrace: when the function fails on tensors without data.
        UsageError: when torch's compiler fails.
    """
    # The cache is in the user's own folder: torch's default is shared by all users, and its name can be guessed.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(user_cache_path("spikecheck-kernels")))
    try:
        with busy("compiling"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's compiler imports what torch calls deprecated
            return _compiled(function, example, of_all_sizes)
    except CannotTrace:
        raise
    except Exception as error:
        raise UsageError(
            f"torch cannot compile with {compiler()} ({type(error).__name__}); set SPIKECHECK_COMPILE=0 to disable compiling"
        ) from error


def _compiled(function: Callable[..., Sequence[Tensor]], example: Sequence[Tensor], of_all_sizes: bool) -> Kernel:
    # Imported here: it takes a second, which users who do not compile should not wait for.
    guards, inductor, shapes = (import_module(name) for name in _IMPORTED)
    table = import_module("torch._inductor.decomposition").select_decomp_table()
    make_fx = import_module("torch.fx.experimental.proxy_tensor").make_fx
    # Its thousand lines are meant for TORCH_TRACE files; pytest would show them with every failure of a user's test.
    logging.getLogger("torch.__trace").propagate = False
    fake = FakeTensorMode(shape_env=shapes.ShapeEnv())

    def sized(tensor: Tensor) -> Tensor:
        free, fixed = shapes.DimDynamic.DYNAMIC, shapes.DimDynamic.STATIC
        sizes = [free if size > 1 and of_all_sizes else fixed for size in tensor.shape]
        return fake.from_tensor(tensor, symbolic_context=shapes.StatelessSymbolicContext(dynamic_sizes=sizes))

    fakes = [sized(tensor) for tensor in example]
    try:
        with fake:
            graph = make_fx(partial(function), decomposition_table=table)(*fakes)  # fx miscounts a method's arguments
    except Exception as error:
        raise CannotTrace(f"torch cannot trace {function} ({type(error).__name__})") from error

    def made(options: dict[str, Any]) -> Callable[[list[Tensor]], Sequence[Tensor]]:
        # Without a tracing context, torch does not use its cache.
        with guards.tracing(guards.TracingContext(fake)), import_module("torch._inductor.config").patch(options):
            return inductor.compile_fx_inner(graph, fakes)  # type: ignore[no-any-return]

    try:
        kernel = made({**_OPTIONS, **_TRUSTING})
    except Exception:  # the compiler may be older than the processor: torch then tests, for seconds, what both know
        _doubt()
        kernel = made(_OPTIONS)
    return Kernel(kernel)


def _doubt() -> None:
    """Clear torch's cached assumptions about the processor's instructions."""
    known = import_module("torch._inductor.cpu_vec_isa")
    for remembered in (known.valid_vec_isa_list, *(type(isa).__bool__ for isa in known.supported_vec_isa_list)):
        getattr(remembered, "cache_clear", lambda: None)()
