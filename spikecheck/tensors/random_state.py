"""The state of every global random number generator that a training may draw from."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

RandomState = Mapping[str, Any]
"""Tensors, numbers and tuples of these: what `torch.load(weights_only=True)` reads back."""


def random_state() -> dict[str, Any]:
    """Python's, NumPy's and torch's, on the CPU and on every CUDA device that is in use."""
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002 - the global generator is what users' code draws from
    return {
        "python": random.getstate(),
        "numpy": (kind, torch.from_numpy(np.array(keys, dtype=np.int64)), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],  # type: ignore[no-untyped-call]
    }


def set_random_state(state: RandomState) -> None:
    """Put every generator back to where `random_state` found it."""
    kind, keys, *rest = state["numpy"]
    random.setstate(state["python"])
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's global generators."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)


@contextmanager
def random_state_kept(start: RandomState | None = None) -> Iterator[None]:
    """Whatever is drawn inside, afterwards every generator is where it was. Inside they begin at `start`, if given."""
    before = random_state()
    try:
        if start is not None:
            set_random_state(start)
        yield
    finally:
        set_random_state(before)
