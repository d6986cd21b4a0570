"""Libraries compiled from a source in C++, once per machine."""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from spikecheck.core.activity import busy
from spikecheck.tensors import kernel_records
from spikecheck.tensors.compiler import compiler

_FLAGS = ("-shared", "-fPIC", "-O3", "-march=native", "-std=c++17", "-fno-trapping-math", "-fno-math-errno")
_ONE_ROUNDING_AN_OPERATION = "-ffp-contract=off"


def library_of(source: str) -> ctypes.CDLL:
    """The library that this source makes: recorded on this machine, or compiled now.

    Raises:
        OSError: when there is no compiler, or no room for what it makes.
        SubprocessError: when the compiler fails.
    """
    key = kernel_records.key_of_text(source, compiler())
    return kernel_records.library(key) or _compiled(source, key)


def _compiled(source: str, key: kernel_records.Key) -> ctypes.CDLL:
    with busy("compiling"), tempfile.TemporaryDirectory() as folder:
        path = _by_hand(source, Path(folder)) if sys.platform == "linux" else _by_torch(source)
        library = ctypes.CDLL(str(path))
        kernel_records.record_library(key, path)
    return library


def _by_hand(source: str, folder: Path) -> Path:
    """Compiled by one call of the compiler: torch's own way to do it imports its compiler, which takes longer."""
    text, made = folder / "source.cpp", folder / "library.so"
    text.write_text(source, encoding="utf-8")
    path = shutil.which(os.environ.get("CXX", "g++"))
    command = [str(path), *_FLAGS, _ONE_ROUNDING_AN_OPERATION, str(text), "-o", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made


def _by_torch(source: str) -> Path:
    cache = import_module("torch._inductor.codecache").CppCodeCache
    return Path(cache.load(source, device_type="cpu")._name)
