"""The state of a workload's training at a step, kept in a file, from which its forks begin."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spikecheck.core.errors import CorruptEntry
from spikecheck.watch.checkpoint import load_checkpoint, save_checkpoint
from spikecheck.watch.training import Snapshot, Training

_AT_ONCE = 50
"""Steps between two reports of how far the run is."""


@dataclass(frozen=True)
class States:
    """A folder with the states of one training."""

    folder: Path
    digest: str
    """Of the run they belong to."""

    def path(self, step: int) -> Path:
        """Where the state before this step is, or would be."""
        return self.folder / f"{self.digest}-{step}.pt"

    def before(self, step: int) -> Snapshot | None:
        """The last state at or before the step; None where there is none that can be read."""
        for file in sorted(self._files(), key=_step_of, reverse=True):
            if _step_of(file) <= step:
                with suppress(CorruptEntry):
                    known = load_checkpoint(file)
                    if known is not None:
                        return known.snapshot
        return None

    def keep(self, snapshot: Snapshot) -> None:
        """Write a state.

        Raises:
            UsageError: when it holds what files do not keep.
            StoreError: when it cannot be written.
        """
        save_checkpoint(self.path(snapshot.steps), snapshot)

    def _files(self) -> list[Path]:
        return [file for file in self.folder.glob(f"{self.digest}-*.pt") if re.fullmatch(r"\d+", _number(file))]


def reach(training: Training, step: int, states: States, tick: Callable[[int], None]) -> list[float]:
    """Bring a new training to a step from the last state before it, and keep that state; the losses made on the way.

    `tick` is told how many steps were made.
    """
    known = states.before(step)
    if known is not None:
        training.restore(known)
        if known.steps == step and states.path(step).exists():
            return []
    losses: list[float] = []
    while (left := step - training.steps) > 0:
        losses += training.run(min(left, _AT_ONCE))
        tick(min(left, _AT_ONCE))
    states.keep(training.snapshot())
    return losses


def differs_at(losses: Sequence[float], known: Sequence[float], step: int) -> int | None:
    """The first step, up to `step`, at which losses that end there differ from those of the run; None where none does."""
    for at, (one, other) in enumerate(zip(losses, known[step - len(losses) : step], strict=True), step - len(losses)):
        if one != other and (one == one or other == other):  # noqa: PLR0124 - NaN is not equal to itself
            return at
    return None


def _number(file: Path) -> str:
    return file.stem.rpartition("-")[2]


def _step_of(file: Path) -> int:
    return int(_number(file))
