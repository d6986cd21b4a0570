"""Digests of batches, by which a repeated batch can be recognised."""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from torch import Tensor


def digest(batch: Any) -> str:
    """16 hexadecimal digits that identify all tensors and arrays in a batch. Text or a number is returned as text.

    >>> digest("shard 3, row 7"), digest(12)
    ('shard 3, row 7', '12')
    >>> digest([np.zeros(2), {"y": np.ones(1)}]) == digest([np.zeros(2), {"y": np.ones(1)}])
    True
    """
    if isinstance(batch, str | int):
        return str(batch)
    hashed = blake2b(digest_size=8)
    for part in _arrays(batch):
        hashed.update(f"{part.dtype}{part.shape}".encode())
        hashed.update(np.ascontiguousarray(part).tobytes())
    return hashed.hexdigest()


def on_device(batch: Any) -> bool:
    """Whether reading the batch would wait for an accelerator."""
    if isinstance(batch, Tensor):
        return batch.device.type != "cpu"
    return any(on_device(part) for part in _parts(batch))


def _arrays(batch: Any) -> Iterator[np.ndarray]:
    if isinstance(batch, Tensor):
        batch = batch.detach().cpu()
        yield (batch if batch.dtype.is_floating_point is False else batch.double()).numpy()
    elif isinstance(batch, np.ndarray):
        yield batch
    else:
        for part in _parts(batch):
            yield from _arrays(part)


def _parts(batch: Any) -> list[Any]:
    if isinstance(batch, Mapping):
        return list(batch.values())
    return list(batch) if isinstance(batch, list | tuple) else []
