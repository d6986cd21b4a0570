"""Functions of tensors as machine code, by torch's inductor: one kernel for tensors of all sizes, compiled once a process.

A kernel takes two seconds or three to compile, some tenths of one when another process has done it before. Its vectors run
along the last axis, and at that axis's end under a mask: no number's bits depend on how many there are, or on its place.
"""

import os
import shutil
import subprocess
import sysconfig
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import torch
from platformdirs import user_cache_path
from torch import Tensor

from spikecheck.core.errors import UsageError

Kernel = Callable[..., Sequence[Tensor]]


@lru_cache(maxsize=1)
def compiler() -> str:
    """The C++ compiler that torch calls, with its version; empty where there is none, or where $SPIKECHECK_COMPILE is 0.

    Raises:
        UsageError: when $SPIKECHECK_COMPILE is 1 and something is missing, or when it is neither 0 nor 1.
    """
    asked = os.environ.get("SPIKECHECK_COMPILE", "")
    if asked not in ("", "0", "1"):
        raise UsageError(
            f"SPIKECHECK_COMPILE={asked!r}: give 0 to do without compiling, 1 to insist on it, or leave it out"
        )
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


def compiled(function: Callable[..., Sequence[Tensor]], example: Sequence[Tensor]) -> Kernel:
    """The function for contiguous tensors of the example's types and numbers of axes, whatever their sizes.

    An axis that has one number or none in the example has so always; the others should differ in size.

    Raises:
        UsageError: when torch cannot compile it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's compiler imports what torch calls deprecated
            return _compiled(function, example)
    except Exception as error:
        raise UsageError(
            f"torch cannot compile with {compiler()} ({type(error).__name__}); set SPIKECHECK_COMPILE=0 to do without"
        ) from error


def _compiled(function: Callable[..., Sequence[Tensor]], example: Sequence[Tensor]) -> Kernel:
    # The user's own folder, where torch's would be one for all users, with a name that anybody can guess.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(user_cache_path("spikecheck-kernels")))
    # Imported here: a second that nobody should wait for who does not compile.
    inductor = import_module("torch._inductor.compile_fx")
    decompositions = import_module("torch._inductor.decomposition").select_decomp_table()
    make_fx = import_module("torch.fx.experimental.proxy_tensor").make_fx
    guards, shapes = (import_module(name) for name in ("torch._guards", "torch.fx.experimental.symbolic_shapes"))
    fake = import_module("torch._subclasses.fake_tensor").FakeTensorMode(shape_env=shapes.ShapeEnv())

    def sized(tensor: Tensor) -> Tensor:
        free, fixed = shapes.DimDynamic.DYNAMIC, shapes.DimDynamic.STATIC
        sizes = [free if size > 1 else fixed for size in tensor.shape]
        found: Tensor = fake.from_tensor(tensor, symbolic_context=shapes.StatelessSymbolicContext(dynamic_sizes=sizes))
        return found

    fakes = [sized(tensor) for tensor in example]
    with fake, torch.no_grad():
        graph = make_fx(function, decomposition_table=decompositions)(*fakes)
    with guards.tracing(guards.TracingContext(fake)):  # without it nothing is taken from torch's cache
        kernel = inductor.compile_fx_inner(graph, fakes)
    return lambda *tensors: kernel(list(tensors))
