"""The device that trains, and its properties that are part of every digest."""

from typing import Literal

from spikecheck.core.errors import UsageError
from spikecheck.core.recipe import Environment
from spikecheck.tensors import installed_torch
from spikecheck.tensors.compiler import compiler
from spikecheck.tensors.installed_torch import torch_itself

Device = Literal["auto", "cpu", "cuda", "mps"]


def usable(device: Device) -> str:
    """The device's name; "auto" is CUDA where there is one, else the CPU.

    Raises:
        UsageError: when torch sees no such device.
    """
    if device == "cpu" or (device == "auto" and not installed_torch.built_for_accelerators()):
        return "cpu"
    torch = torch_itself()
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return "cuda" if available["cuda"] else "cpu"
    if not available.get(device, False):
        names = ", ".join(name for name, there in available.items() if there)
        raise UsageError(f"device={device!r}: torch sees no such device here; use one of: {names}")
    return device


def environment(device: str) -> Environment:
    """The part of every digest that describes this machine: a change in any of its values may change a run's bits.

    On the CPU every tile is trained with one thread (see `execution`).
    """
    on_cpu = device == "cpu"
    kind = device
    if on_cpu:
        kind = f"cpu {installed_torch.cpu_capability()}"
    elif device == "cuda":
        kind = f"cuda {torch_itself().cuda.get_device_name()}"
    return Environment(
        torch=installed_torch.version(),
        device=kind,
        threads=1 if on_cpu else 0,
        compiler=compiler() if on_cpu else _kernels(device),
        memory=memory_of(device),
    )


def memory_of(device: str) -> int:
    """An accelerator's memory in whole GiB, so that another driver's few MiB change no digest; 0 for the CPU."""
    if device == "cuda":
        cuda = torch_itself().cuda
        return int(cuda.get_device_properties(cuda.current_device()).total_memory // 2**30)
    return int(torch_itself().mps.recommended_max_memory() // 2**30) if device == "mps" else 0


def _kernels(device: str) -> str:
    """Name and version of the compiler of an accelerator's kernels; empty without one."""
    if device != "cuda":
        return ""
    from spikecheck.objective.gpu_shallow import triton_version  # noqa: PLC0415 - brings torch

    version = triton_version()
    return f"triton {version}" if version else ""
