"""Batches joined to larger ones, where the loss over all of them stays the same: one large pass is faster than many."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from spikecheck.curvature.directional import model_curvature
from spikecheck.watch.training import Training

_ROWS = 1_024
"""Points a joined batch, at most: larger ones are no faster, and take memory."""
_SAME = 1e-4
"""Relative difference of two losses, summed in another order, up to which they are the same."""


@dataclass(frozen=True)
class Parts:
    """Batches and their weights in the mean loss."""

    batches: list[Any]
    weights: list[float]


def parts_of(training: Training, batches: Sequence[Any]) -> Parts:
    """The batches of an epoch, joined where that leaves their mean loss as it was, else one by one.

    Dropout and batch normalisation see what they saw in training only where batches stay apart; there they stay apart.
    """
    sizes = [_size(batch) for batch in batches]
    weights = [1.0 if size is None else float(size) for size in sizes]
    apart = Parts(list(batches), weights)
    joined = _joined(batches, sizes)
    if joined is None or len(joined.batches) == len(batches):
        return apart
    try:
        one, other = (_loss(training, parts) for parts in (apart, joined))
    except Exception:  # a loss of the user's that takes batches of its own size alone
        return apart
    return joined if abs(one - other) <= _SAME * abs(one) else apart


def _loss(training: Training, parts: Parts) -> float:
    return float(model_curvature(training.model, training.loss, parts.batches, parts.weights).losses)


def _joined(batches: Sequence[Any], sizes: Sequence[int | None]) -> Parts | None:
    """Neighbours joined up to the largest size; None where they are not alike."""
    if None in sizes:
        return None
    groups: list[list[Any]] = [[]]
    rows = [0]
    for batch, size in zip(batches, sizes, strict=True):
        if rows[-1] and rows[-1] + (size or 0) > _ROWS:
            groups.append([])
            rows.append(0)
        groups[-1].append(batch)
        rows[-1] += size or 0
    try:
        return Parts([_concatenated(group) for group in groups], [float(count) for count in rows])
    except (TypeError, RuntimeError):
        return None


def _concatenated(batches: list[Any]) -> Any:
    """Tensors joined along their first axis, in the same structure."""
    first = batches[0]
    if isinstance(first, Tensor):
        return torch.cat(batches)
    if isinstance(first, Mapping):
        return {key: _concatenated([batch[key] for batch in batches]) for key in first}
    if isinstance(first, list | tuple):
        parts = [_concatenated(list(column)) for column in zip(*batches, strict=True)]
        return parts if isinstance(first, list) else tuple(parts)
    raise TypeError(type(first).__name__)


def _size(batch: Any) -> int | None:
    """The length of all its tensors' first axis; None where they differ, or there is none."""
    sizes = {len(tensor) if tensor.ndim else 0 for tensor in _tensors(batch)}
    return sizes.pop() if len(sizes) == 1 and 0 not in sizes else None


def _tensors(batch: Any) -> Iterator[Tensor]:
    if isinstance(batch, Tensor):
        yield batch
    elif isinstance(batch, Mapping | list | tuple):
        for part in batch.values() if isinstance(batch, Mapping) else batch:
            yield from _tensors(part)
