"""Parameters of which each process holds a part: FSDP2's `fully_shard`, whose parameters are DTensors."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from spikecheck.core.errors import UsageError


@cache
def _dtensor() -> Any:
    """The class; None in builds of torch without it."""
    try:
        from torch.distributed.tensor import DTensor  # noqa: PLC0415
    except ImportError:
        return None
    return DTensor


def is_sharded(tensor: Tensor) -> bool:
    """Whether this process may hold only a part of the tensor."""
    return type(tensor) is not Tensor and _dtensor() is not None and isinstance(tensor, _dtensor())


def local(tensor: Any) -> Any:
    """The part of it that this process holds, in the same memory; all of an ordinary tensor."""
    if not is_sharded(tensor):
        return tensor
    with torch.no_grad():
        return tensor.detach().to_local()


def check_shards(model: nn.Module) -> None:
    """Refuse ways of sharding in which sums over the processes would not be the whole model's.

    Raises:
        UsageError: for FSDP1, and for a mesh without all processes, or pending sums.
    """
    if any(type(module).__name__ == "FullyShardedDataParallel" for module in model.modules()):
        raise UsageError("model: is wrapped in FullyShardedDataParallel (FSDP1), whose parameters show no layout; "
                         "use torch.distributed.fsdp.fully_shard")  # fmt: skip
    for name, parameter in model.named_parameters():
        if is_sharded(parameter):
            _check(name, parameter)


def _check(name: str, parameter: Any) -> None:
    world = torch.distributed.get_world_size()
    if parameter.device_mesh.size() != world:
        raise UsageError(
            f"model: {name} is sharded over {parameter.device_mesh.size()} of {world} processes; Watch needs a mesh of all"
        )
    if any(placement.is_partial() for placement in parameter.placements):
        raise UsageError(f"model: {name} is a pending sum over processes, which Watch cannot follow")


def forward_is_collective(model: nn.Module) -> bool:
    """Whether a forward pass needs all processes at once."""
    return any(map(is_sharded, model.parameters())) or any(isinstance(m, nn.SyncBatchNorm) for m in model.modules())


def gathering(model: nn.Module) -> list[Any]:
    """The modules that gather their parameters for a forward pass, as FSDP2's do."""
    kinds = {type(module) for module in model.modules()}
    gathers = {kind for kind in kinds if all(callable(getattr(kind, name, None)) for name in ("reshard", "unshard"))}
    return [module for module in model.modules() if type(module) in gathers]


def reshard(modules: Iterable[Any]) -> None:
    """Free gathered parameters: FSDP2 keeps its root's after a forward pass, and would use them again unchanged."""
    for module in modules:
        module.reshard()
