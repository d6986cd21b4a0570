"""Trains one tile; one that does not fit an accelerator's memory is trained in halves."""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout

import torch

from spikecheck.core.errors import UsageError, lacks_memory
from spikecheck.lab.batching import smallest
from spikecheck.lab.execution.order import Job
from spikecheck.lab.train_batch import train_tile
from spikecheck.lab.trained import Trained
from spikecheck.optimizers.instances import Coupled

_NO_ROOM = ("out of memory", "ALLOC_FAILED")
"""Texts of out-of-memory errors that are no `torch.OutOfMemoryError`: from Metal, CUDA and CUDA's matrix libraries."""


def train_job(job: Job, device: str, tick: Callable[[int], None]) -> list[Trained]:
    """A job's results, in the order of its recipes. A tile that does not fit an accelerator's memory is trained in halves.

    The results of a finished half are kept; the other half may be halved again. After a halving, `tick` only receives 0:
    the steps made before it were counted already, and would count twice.

    Raises:
        UsageError: when even the smallest tile does not fit.
    """
    trained: list[Trained] = []
    size, coupled = job.size, False
    while len(trained) < len(job.tile):
        part = job.part(len(trained), size)
        heard = tick if size == job.size else lambda _: tick(0)
        try:
            with redirect_stdout(sys.stderr):  # a user's optimizer may print; --json - owns stdout
                trained += train_tile(part.tile, part.parents, device, heard, part.partners, size)
            continue
        except Coupled:
            if coupled:
                raise
            coupled = True  # the next try knows that this optimizer needs one instance per member
            continue
        except (RuntimeError, MemoryError) as error:
            if not (here := lacks_memory(error)) and not _lacks_room(error, device):
                raise
            if here or size // 2 < smallest(job.tile[0]):
                raise UsageError(_no_room(part, device)) from error
        size //= 2  # after the handler: an error keeps its frames alive, and they keep the memory that must be freed
        _release(device)
    return trained


def _lacks_room(error: Exception, device: str) -> bool:
    """Whether an error means that an accelerator's memory ran out, so that halves of the tile are worth a try.

    On a CPU only `torch.OutOfMemoryError` counts, which torch never raises there: halving a tile would change the bits that
    its digests promise.
    """
    said = device != "cpu" and any(sign in str(error) for sign in _NO_ROOM)
    return isinstance(error, torch.OutOfMemoryError) or said


def _no_room(job: Job, device: str) -> str:
    setting = job.tile[0].setting
    size = ", ".join(f"{name}={getattr(setting, name)}" for name in ("problem", "model", "width", "depth", "points"))
    fewest, remedy = (
        (", the fewest that train together,", "--device cpu") if device != "cpu" else ("", "--executor local")
    )
    return (
        f"device={device!r}: out of memory with {job.size} members{fewest} of {size}; "
        f"use a smaller width or fewer points, or {remedy}"
    )


def _release(device: str) -> None:
    """Return torch's cached memory to the device: the blocks of a large tile may be too fragmented for a smaller one."""
    gc.collect()  # graphs may refer to themselves
    if device == "cuda":
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """A context in which torch uses a single thread on the CPU; the number from before is restored afterwards."""
    before = torch.get_num_threads()
    if device == "cpu" and before != 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)
