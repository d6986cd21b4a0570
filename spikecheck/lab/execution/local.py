"""Tiles trained in this process, and how a tile that does not fit an accelerator's memory is trained by halves."""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial

import torch

from spikecheck.core.errors import UsageError
from spikecheck.lab.batch import Trained
from spikecheck.lab.batching import smallest
from spikecheck.lab.execution.order import Answers, Job, TrainingRequest
from spikecheck.lab.train_batch import train_tile
from spikecheck.optimizers.instances import Coupled

_NO_ROOM = ("out of memory", "ALLOC_FAILED")
"""What errors that are no `torch.OutOfMemoryError` say: Metal's, CUDA's own, and those of its libraries for matrices."""


class Local:
    """One tile after another, in this process."""

    def results(self, order: TrainingRequest) -> Answers:
        """In the order given; this process is never idle, so nothing is done ahead."""
        for tile in order.tiles:
            order.tick(tile, 0)  # a tile of few steps never ticks by itself
            with one_thread(order.device):
                trained = train_job(order.load(tile), order.device, partial(order.tick, tile))
            yield tile, trained

    def close(self) -> None:
        """Nothing was started."""


def train_job(job: Job, device: str, tick: Callable[[int], None]) -> list[Trained]:
    """A job's results, in the order of its recipes. An accelerator that has no room for a tile trains it by halves.

    What a half has finished is kept; the other half may be halved again. Once halved, `tick` is told no steps: some were made
    before and would be told twice.

    Raises:
        UsageError: when there is no room for the smallest tile either.
    """
    trained: list[Trained] = []
    size, coupled = job.size, False
    while len(trained) < len(job.tile):
        part = job.part(len(trained), size)
        heard = tick if size == job.size else lambda _: tick(0)
        try:
            with redirect_stdout(sys.stderr):  # what a user's optimizer prints is no part of what --json - writes
                trained += train_tile(part.tile, part.parents, device, heard, part.partners, size)
            continue
        except Coupled:
            if coupled:
                raise
            coupled = True  # by now its optimizer is known to need an instance a member
            continue
        except RuntimeError as error:
            if not _lacks_room(error, device):
                raise
            if size // 2 < smallest(job.tile[0]):
                raise UsageError(_no_room(part, device)) from error
        size //= (
            2  # behind the handler: an error holds on to the frames it came through, and they to what is to be freed
        )
        _release(device)
    return trained


def _lacks_room(error: RuntimeError, device: str) -> bool:
    """On the CPU a tile's size belongs to the bits that a digest promises: there, only what torch never raises counts."""
    said = device != "cpu" and any(sign in str(error) for sign in _NO_ROOM)
    return isinstance(error, torch.OutOfMemoryError) or said


def _no_room(job: Job, device: str) -> str:
    setting = job.tile[0].setting
    size = ", ".join(f"{name}={getattr(setting, name)}" for name in ("problem", "model", "width", "depth", "points"))
    return (
        f"device={device!r}: out of memory with {job.size} members, the fewest that train together, of {size}; "
        "use a smaller width or fewer points, or --device cpu"
    )


def _release(device: str) -> None:
    """Give back what torch has set aside: what is left of a large tile lies in pieces that a smaller one may not fit."""
    gc.collect()  # graphs may refer to themselves
    if device == "cuda":
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """Torch with a single thread, as it was before afterwards."""
    before = torch.get_num_threads()
    if device == "cpu" and before != 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)
