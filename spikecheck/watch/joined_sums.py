"""Sums over sharded parameters, added up over the processes that hold the parts."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from spikecheck.watch.layers import Sums
from spikecheck.watch.shards import is_sharded, local


def joined(sums: Sums, parameters: Sequence[Tensor]) -> Sums:
    """Sums of the whole tensors: those of the parts, added up over the processes."""
    weights = [_weight(parameter) for parameter in parameters]
    squares = {name: [_squared(one) for one in getattr(sums, name)] for name in ("update", "weights", "gradient")}
    columns = {**squares, "slope": sums.slope, "surprise": sums.surprise}
    device = local(parameters[0]).device
    wholes = {name: _added(column, weights, device) for name, column in columns.items()}
    roots = {name: [None if one is None else math.sqrt(one) for one in wholes[name]] for name in squares}
    known: Any = {**wholes, **roots}
    return replace(sums, **known)


def joined_norm(values: Sequence[float], parameter: Tensor) -> float:
    """Norm of numbers of which each process has a part."""
    square = math.fsum(value * value for value in values)
    return math.sqrt(_added([square], [_weight(parameter)], local(parameter).device)[0] or 0.0)


def _added(column: Sequence[float | None], weights: Sequence[float], device: torch.device) -> list[float | None]:
    """None where no process has a number."""
    pairs = list(zip(column, weights, strict=True))
    values = [0.0 if one is None else one * weight for one, weight in pairs]
    both = torch.tensor([values, [float(one is not None) for one in column]], dtype=torch.float64, device=device)
    torch.distributed.all_reduce(both)
    return [value if count else None for value, count in zip(*both.tolist(), strict=True)]


def _weight(parameter: Any) -> float:
    """One over the processes that hold the same part."""
    if not is_sharded(parameter):
        return 1.0 / torch.distributed.get_world_size()
    mesh = parameter.device_mesh
    sizes = [mesh.size(at) for at, placement in enumerate(parameter.placements) if placement.is_replicate()]
    return 1.0 / float(math.prod(sizes))


def _squared(number: float | None) -> float | None:
    return None if number is None else number * number
