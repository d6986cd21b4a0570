"""What is known of torch and of the processor without importing torch, which takes a second.

Stored runs are found by torch's version, the device, and the vector instructions that torch uses. A repeated command, which
reads all of its runs from the store, needs nothing else of torch. Where torch is imported already, it is asked itself.
"""

import hashlib
import os
import platform
import runpy
import sys
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spikecheck.tensors.cache import record, recorded

_FORMAT = 1
_PROCESSORS = Path("/proc/cpuinfo")
_ACCELERATORS = ("cuda", "hip", "xpu")
"""The names in torch/version.py that are not None where torch was built for such devices."""


def version() -> str:
    """torch's version, as in `torch.__version__`."""
    return str(torch_itself().__version__) if _imported() or not _build() else str(_build()["__version__"])


def built_for_accelerators() -> bool:
    """Whether torch may find another device than the CPU. False only where it was built without any."""
    return _imported() or sys.platform == "darwin" or not _build() or any(_build().get(name) for name in _ACCELERATORS)


def cpu_capability() -> str:
    """The vector instructions that torch uses on this processor, as `torch.backends.cpu.get_cpu_capability()` names them.

    torch's answer follows from its build, the processor and $ATEN_CPU_CAPABILITY, so it is recorded under these.
    """
    key = [
        "processor",
        _FORMAT,
        *map(str, _build().values()),
        instructions(),
        os.environ.get("ATEN_CPU_CAPABILITY", ""),
    ]
    kept = _read(key) if _build() else None
    if kept is not None and not _imported():
        return kept
    found = str(torch_itself().backends.cpu.get_cpu_capability())
    if found != kept:
        _write(key, found)
    return found


@lru_cache(maxsize=1)
def instructions() -> str:
    """What the processor can do. A user's home may be one for many machines, and what lies there may be of another."""
    with suppress(OSError):
        lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
        kinds = ("vendor_id", "cpu family", "model", "flags", "Features", "CPU part")
        return hashlib.sha256(
            "\n".join(sorted({line for line in lines if line.startswith(kinds)})).encode()
        ).hexdigest()
    return platform.processor()


def _imported() -> bool:
    return "torch" in sys.modules


def torch_itself() -> Any:
    """The module torch, imported now where it was not."""
    import torch  # noqa: PLC0415 - what this module is there to avoid

    return torch


@lru_cache(maxsize=1)
def _build() -> dict[str, Any]:
    """What torch/version.py says, and torch's folder; empty where there is no such file, or it says no version."""
    with suppress(Exception):
        found = find_spec("torch")
        if found is not None and found.origin is not None:
            said = runpy.run_path(str(Path(found.origin).with_name("version.py")))
            names = ("git_version", "debug", *_ACCELERATORS)
            return {
                "__version__": said["__version__"],
                "folder": found.origin,
                **{name: said.get(name) for name in names},
            }
    return {}


def _read(key: list[Any]) -> str | None:
    """What was found before; None where nothing was, or where files cannot tell one processor from another."""
    with suppress(Exception):  # whatever is wrong with a file, torch can be asked
        known = recorded(key) if _PROCESSORS.exists() else None
        return None if known is None else str(known["capability"])
    return None


def _write(key: list[Any], capability: str) -> None:
    with suppress(Exception):  # no command fails because a disk is full
        if _PROCESSORS.exists():
            record(key, {"capability": capability})
