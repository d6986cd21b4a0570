"""Keeps states of a training in a folder while it runs, so that a spike can be explained afterwards."""

import math
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from spikecheck.core.errors import StoreError, UsageError
from spikecheck.core.watched import Step
from spikecheck.watch.checkpoint import save_checkpoint
from spikecheck.watch.detector import Detector, NoisySpike
from spikecheck.watch.training import Training
from spikecheck.why.kept import kept_steps, parts_of, state_file
from spikecheck.why.ring import EVERY
from spikecheck.why.scene import BEFORE, is_benign

MOST = 8
"""Default for the largest number of files."""
_SPARE = 2
"""Latest states that stay besides those that reach `EVERY` steps back: the last one, and one more, since losses are read late
on an accelerator."""
_SHARE = 30
"""Writing states takes at most one part in so many of the time, as checkpoints do."""
_COPIES = 3
"""Copies of its parameters by which a state grows after the first step: a gradient and two moments, as Adam has."""

_FRAME = 5_000
"""Bytes, generously, that a file takes besides for these copies of one tensor: names, and the space between them."""


class Keeping:
    """The last states of a training, and of its first spikes that are not benign the state before each.

    It is a sink of the watch's steps, from whose losses it learns of spikes. A training that was resumed loses the states
    from after the step that it went back to, as its log loses the steps.
    """

    def __init__(self, training: Training, folder: Path, every: int = EVERY, most: int = MOST) -> None:
        """Write the first state.

        Args:
            training: between two steps.
            folder: is made where it is missing.
            every: steps between two states, at least 1; more where writing one takes over a thirtieth of the time.
            most: files at once, at least one more than the last states that reach 256 steps back.

        Raises:
            UsageError: an argument cannot be used, a training that begins finds states in the folder, the disk has too
                little space, or the training's state holds what files do not keep.
        """
        _check(training, folder, every, most)
        self._training, self._folder, self._every = training, folder, every
        self._last, self._most = _last(every), most
        self._detector, self._first, self._losses = Detector(), training.steps, list[float]()
        self._kept = kept_steps(folder)
        self._saved = self._cost = 0.0
        self._remove(step for step in self._kept if step > training.steps)
        try:
            self._write()
        except StoreError as error:
            raise UsageError(f"states={folder}: {error}") from error
        self._bytes = state_file(folder, training.steps).stat().st_size + _growth(training)
        self._check_space()

    @property
    def says(self) -> str:
        """What it will take, in one line."""
        return (
            f"states: a file of up to {_size(self._bytes)} every {self._every:,} steps in {self._folder}, at most "
            f"{self._most} of them ({_size(self._most * self._bytes)}); while one is written, twice as much memory as it has"
        )

    def step(self, step: Step) -> None:
        """Learn of a step's loss."""
        loss = step.loss if step.loss is not None else float(step.not_finite or "nan")
        self._detector.update(step.step, loss)
        self._losses.append(loss)

    def close(self) -> None:
        """Nothing to close."""

    def after_step(self) -> None:
        """Write a state if one is due.

        Raises:
            StoreError: when it cannot be written.
        """
        waits = time.monotonic() - self._saved < _SHARE * self._cost
        if self._training.steps - self._kept[-1] >= self._every and not waits:
            self._write()
            self._forget()

    def _write(self) -> None:
        began = time.monotonic()
        step = self._training.steps
        save_checkpoint(state_file(self._folder, step), self._training.snapshot(), parts=parts_of(self._training))
        self._kept = [*(one for one in self._kept if one < step), step]
        self._saved = time.monotonic()
        self._cost = self._saved - began

    def _forget(self) -> None:
        """Remove what neither is among the last nor lies before a spike that counts."""
        wanted = {*self._kept[-self._last :], *self._before_spikes()}
        self._remove(step for step in self._kept if step not in wanted)

    def _remove(self, steps: Iterable[int]) -> None:
        removed = set(steps)
        for step in removed:
            state_file(self._folder, step).unlink(missing_ok=True)
        self._kept = [step for step in self._kept if step not in removed]

    def _before_spikes(self) -> list[int]:
        """One state a spike, from before its forks begin, for as many as there is room for."""
        starts = [spike.onset - BEFORE for spike in self._detector.spikes if not self._is_benign(spike)]
        last = [max((step for step in self._kept if step <= start), default=None) for start in starts]
        distinct = dict.fromkeys(step for step in last if step is not None)
        return list(distinct)[: self._most - self._last]

    def _is_benign(self, spike: NoisySpike) -> bool:
        return is_benign(spike, self._losses, self._first)

    def _check_space(self) -> None:
        free = shutil.disk_usage(self._folder).free
        if free < self._most * self._bytes:
            self._remove(self._kept[-1:])
            raise UsageError(
                f"states={self._folder}: {self._most} states take up to {_size(self._most * self._bytes)}, and the disk has "
                f"{_size(free)} left; keep fewer with states_most, or name another folder"
            )


def _last(every: int) -> int:
    """How many of the latest states always stay: an onset may lie so far before its alarm.

    >>> _last(256), _last(100), _last(1_000)
    (3, 5, 3)
    """
    return math.ceil(EVERY / every) + _SPARE


def _check(training: Training, folder: Path, every: Any, most: Any) -> None:
    if not isinstance(every, int) or every < 1:
        raise UsageError(f"states_every={every!r}: give a whole number of at least 1")
    if not isinstance(most, int) or most <= _last(every):
        raise UsageError(
            f"states_most={most!r}: give a whole number of at least {_last(every) + 1} with states_every={every}"
        )
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        raise UsageError(f"states={folder}: of several processes no state can be kept; leave states out")
    if kept_steps(folder) and not training.steps:
        raise UsageError(
            f"states={folder}: has states of a training up to step {kept_steps(folder)[-1]:,}, and this one begins at step "
            "0; give another folder, or delete it"
        )


def _growth(training: Training) -> int:
    """Bytes by which a state grows once steps were made."""
    modules = [part for part in training.state.values() if isinstance(part, torch.nn.Module)]
    weights = {id(p): p.numel() * p.element_size() for module in modules for p in module.parameters()}
    return 0 if training.steps else sum(_COPIES * size + _FRAME for size in weights.values())


def _size(size: float) -> str:
    """As people write it.

    >>> _size(1_234_567), _size(999)
    ('1.2 MB', '999 bytes')
    """
    for name, unit in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size:.0f} bytes"
