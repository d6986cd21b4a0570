"""Compiled libraries on the user's disk, found again in milliseconds: without tracing, and without importing torch's compiler.

Machine code depends on what was compiled, our source, torch, Python, the compiler and the processor; all of it is in the key
of a record (see `cache`). Where there is no record, or it cannot be written, torch's compiler does the work again.
"""

import ctypes
import hashlib
import importlib.util
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spikecheck.core.whole_file import write_whole
from spikecheck.tensors.cache import private_folder, record, recorded
from spikecheck.tensors.installed_torch import instructions
from spikecheck.tensors.kernel import Kernel
from spikecheck.tensors.kernel_call import call_in, runnable

_PACKAGE = Path(__file__).parents[1]
_COUNTED = ("CXX", "CXXFLAGS", "LDFLAGS", "ATEN_CPU_CAPABILITY")
_FORMAT = 2
_BEGAN = time.time()

Key = dict[str, Any]
"""What a library depends on, as JSON."""


def key_of(function: Callable[..., Any], example: Sequence[Tensor], of_all_sizes: bool, compiler: str) -> Key | None:
    """What the function's kernel depends on; None where its source can't be known, as of a user's function."""
    named = _named(function)
    if named is None:
        return None
    sizes = [[str(part.dtype), list(part.shape), list(part.stride())] for part in example]
    rooms = sorted({"tensors", *(name.split(".")[1] for name in named)})
    source = {room: _digest_of_room(room) for room in rooms}
    if None in source.values():
        return None
    return {
        "function": named,
        "example": sizes,
        "of_all_sizes": of_all_sizes,
        "source": source,
        **_surroundings(compiler),
    }


def key_of_text(source: str, compiler: str) -> Key:
    """What a library depends on that is compiled from this source in C++."""
    return {"text": hashlib.sha256(source.encode()).hexdigest(), **_surroundings(compiler)}


def kernel(key: Key | None) -> Kernel | None:
    """The kernel that was recorded; None where there is none, or none that is whole."""
    with suppress(Exception):  # whatever is wrong with a file, it can be made again
        known = None if key is None else _read(key)
        if known is not None:
            path, text = known
            run, names = runnable(text, _binding(path))
            return Kernel(run, names)
    return None


def record_kernel(key: Key | None, made: Kernel, source: str) -> None:
    """Keep a kernel for other processes, where it can be. `source` is the module that inductor wrote for it."""
    with suppress(Exception):  # nobody's training fails because a disk is full
        if key is not None and made.library is not None:
            _write(key, made.library, call_in(source))


def library(key: Key) -> ctypes.CDLL | None:
    """The library that was recorded; None as for `kernel`."""
    with suppress(Exception):
        known = _read(key)
        if known is not None:
            return ctypes.CDLL(str(known[0]))
    return None


def record_library(key: Key, path: Path) -> None:
    """Keep a library for other processes, where it can be."""
    with suppress(Exception):
        _write(key, path, "")


# ---- what a library depends on ---------------------------------------------------------------------------------------


def _named(function: Callable[..., Any]) -> list[str] | None:
    """A function's name, with those of the functions it is bound to; None where a name does not say everything."""
    if isinstance(function, partial):
        parts = [_named(part) for part in (function.func, *function.args)]
        return None if function.keywords or None in parts else [name for part in parts if part for name in part]
    module, name = getattr(function, "__module__", None) or "", getattr(function, "__qualname__", "")
    ours = module.startswith("spikecheck.") and getattr(sys.modules.get(module), name, None) is function
    return [f"{module}.{name}"] if ours else None


@lru_cache(maxsize=8)
def _digest_of_room(room: str) -> str | None:
    """None where a file was edited since this process began, so that what runs may be older, or where there is none."""
    paths, digest = sorted((_PACKAGE / room).rglob("*.py")), hashlib.sha256()
    for path in paths:
        if path.stat().st_mtime > _BEGAN:
            return None
        digest.update(f"{path.relative_to(_PACKAGE)}\n".encode() + path.read_bytes())
    return digest.hexdigest() if paths else None


def _surroundings(compiler: str) -> Key:
    variables = {
        name: value for name, value in os.environ.items() if name.startswith("TORCHINDUCTOR_") or name in _COUNTED
    }
    variables.pop("TORCHINDUCTOR_CACHE_DIR", None)
    return {
        "format": _FORMAT,
        "torch": [torch.__version__, str(torch.version.git_version), torch.__file__],
        "python": [sys.version, sys.prefix, *platform.uname()[::4]],
        "processor": [torch.backends.cpu.get_cpu_capability(), instructions()],
        "compiler": compiler,
        "environment": dict(sorted(variables.items())),
        "threads": torch.get_num_threads(),
        "default": [str(torch.get_default_dtype()), torch.are_deterministic_algorithms_enabled()],
    }


# ---- files -----------------------------------------------------------------------------------------------------------


def _read(key: Key) -> tuple[Path, str] | None:
    folder, known = private_folder(), recorded(key)
    if folder is None or known is None:
        return None
    path = folder / f"{known['library']}.so"
    whole = hashlib.sha256(path.read_bytes()).hexdigest() == known["library"]
    return (path, known["call"]) if whole else None


def _write(key: Key, compiled: Path, call: str) -> None:
    folder = private_folder()
    if folder is None:
        return
    code = compiled.read_bytes()
    name = hashlib.sha256(code).hexdigest()
    write_whole(folder / f"{name}.so", code, drafts=folder, mode=0o600)
    record(key, {"library": name, "call": call})


def _binding(path: Path) -> Callable[..., None]:
    """The function of the extension module that inductor has compiled."""
    # The module asks there for the function that gives a tensor's address, as torch's own loader has it do.
    address = torch._C._dynamo.guards._torchinductor_pyobject_tensor_data_ptr  # type: ignore[attr-defined]
    os.environ["_TORCHINDUCTOR_PYOBJECT_TENSOR_DATA_PTR"] = str(address)
    spec = importlib.util.spec_from_file_location(f"{path.stem}.kernel", path)
    if spec is None or spec.loader is None:
        raise ImportError(path.name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.kernel  # type: ignore[no-any-return]
