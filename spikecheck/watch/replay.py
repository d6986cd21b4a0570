"""Whether a training can be replayed bit for bit, and where it first cannot."""

from collections.abc import Callable

import torch
from torch import Tensor

from spikecheck.watch.training import Snapshot, Training


def first_difference(make: Callable[[], Training], steps: int) -> int | None:
    """The first step, from 0, at which two trainings made alike differ in their losses; None where none does.

    `make` must make the whole training anew, seeds included. Where all losses agree, the states after the last step are
    compared as well: where these differ, the answer is `steps`.
    """
    losses, ends = [], []
    for _ in range(2):
        training = make()
        losses.append(training.run(steps))
        ends.append(training.snapshot())
    return _judged(losses, ends, steps)


def first_unreplayed(training: Training, steps: int) -> int | None:
    """The first of the next steps, from 0, that another run from the present state makes otherwise; None where none is.

    Afterwards the training has made these steps. A number means that something a step changes is missing in its `state`, or
    that its `batches` do not come again; what `first_difference` says of two new trainings is another question.
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
    """Equal to the bit, also where both are no number."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.dtype == other.dtype and one.shape == other.shape and torch.equal(_bits(one), _bits(other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other or (one != one and other != other)  # noqa: PLR0124 - NaN is not equal to itself


def _bits(tensor: Tensor) -> Tensor:
    """As bytes, which are equal also where numbers are none."""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
