"""Checks whether a training can be replayed bit for bit, and finds the first step that differs."""

from collections.abc import Callable

import torch
from torch import Tensor

from spikecheck.watch.training import Snapshot, Training


def first_difference(make: Callable[[], Training], steps: int) -> int | None:
    """Compare two new trainings: the first step, from 0, whose losses differ; None if all are equal.

    Args:
        make: creates a new training, including its seeds.
        steps: steps to compare. If all losses agree but the states after the last step differ, the result is `steps`.
    """
    losses, ends = [], []
    for _ in range(2):
        training = make()
        losses.append(training.run(steps))
        ends.append(training.snapshot())
    return _judged(losses, ends, steps)


def first_unreplayed(training: Training, steps: int) -> int | None:
    """Run twice from the current state: the first of the next steps, from 0, that differs; None if all are equal.

    A number means that a step changes something that is missing in `state`, or that `batches` does not repeat.
    Whether two new trainings agree is another question: see `first_difference`. Afterwards the training has made the steps.
    """
    start = training.snapshot()
    losses, ends = [], []
    for _ in range(2):
        training.restore(start)
        losses.append(training.run(steps))
        ends.append(training.snapshot())
    return _judged(losses, ends, steps)


def _judged(losses: list[list[float]], ends: list[Snapshot], steps: int) -> int | None:
    for step, (one, other) in enumerate(zip(*losses, strict=True)):
        if not _same(one, other):
            return step
    return None if _same(ends[0].values["state"], ends[1].values["state"]) else steps


def _same(one: object, other: object) -> bool:
    """Whether two values are equal to the bit; NaN equals NaN."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.dtype == other.dtype and one.shape == other.shape and torch.equal(_bits(one), _bits(other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other or (one != one and other != other)  # noqa: PLR0124 - NaN is not equal to itself


def _bits(tensor: Tensor) -> Tensor:
    """The tensor's bytes, so that NaN can be compared."""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
