"""States that a watched training left in a folder, and its log: what a spike is explained from afterwards."""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from spikecheck.core.errors import CorruptEntry, UsageError
from spikecheck.core.watched import Step
from spikecheck.watch.checkpoint import Checkpoint, load_checkpoint
from spikecheck.watch.holdings import reason_of
from spikecheck.watch.log import WatchLog
from spikecheck.watch.training import Snapshot, Training
from spikecheck.why.spikes import Run
from spikecheck.why.states import States

_NAME = re.compile(r"state-(\d+)\.pt")
_AGREES = 0.01
"""Relative difference of two losses that kernels which add in another order may make, and another training does not."""


def state_file(folder: Path, step: int) -> Path:
    """Where the state before a step is."""
    return folder / f"state-{step}.pt"


def kept_steps(folder: Path) -> list[int]:
    """The steps before which a state is in the folder, in order.

    Raises:
        UsageError: when the folder cannot be read.
    """
    try:
        names = [_NAME.fullmatch(file.name) for file in folder.iterdir()] if folder.is_dir() else []
    except OSError as error:
        raise UsageError(f"states={folder}: cannot be read: {error.strerror}; give a folder that can") from error
    return sorted(int(name[1]) for name in names if name)


def parts_of(training: Training) -> dict[str, str]:
    """Names and classes of all that a state is made of."""
    return {name: f"{type(part).__module__}.{type(part).__qualname__}" for name, part in training.state.items()}


@dataclass(frozen=True)
class Kept:
    """The states in a folder, as those of one training."""

    folder: Path
    parts: Mapping[str, str]
    """`parts_of` the training that is to be put back to them."""

    @cached_property
    def steps(self) -> list[int]:
        """The steps before which they are.

        Raises:
            UsageError: when there is none.
        """
        steps = kept_steps(self.folder)
        if not steps:
            raise UsageError(
                f"states={self.folder}: holds no state; give the folder that spikecheck.Watch.of(…, states=FOLDER) wrote to"
            )
        return steps

    def before(self, step: int) -> Snapshot:
        """The last state at or before a step that can be read.

        Raises:
            UsageError: when none is so early, none of them can be read, or they are of another training.
        """
        early = [one for one in self.steps if one <= step]
        if not early:
            raise UsageError(
                f"states={self.folder}: the first state is before step {self.steps[0]:,}, and the forks begin at step "
                f"{step:,}; name a later spike with --at-step N, or leave the states out to train again from the start"
            )
        return self._first_that_loads(early[::-1])

    def digest(self, step: int) -> str:
        """SHA-256 of the state's file before a step."""
        return hashlib.sha256(state_file(self.folder, step).read_bytes()).hexdigest()

    def _first_that_loads(self, steps: list[int]) -> Snapshot:
        """A damaged state costs the way from the one before it."""
        damaged: CorruptEntry | None = None
        for step in steps:
            try:
                checkpoint = load_checkpoint(state_file(self.folder, step))
            except CorruptEntry as error:
                damaged = damaged or error
            else:
                if checkpoint is not None:
                    return self._own(checkpoint)
        raise UsageError(f"states={self.folder}: {damaged or 'the states are gone'}")

    def _own(self, checkpoint: Checkpoint) -> Snapshot:
        theirs = checkpoint.about.get("parts")
        if theirs != dict(self.parts):
            raise UsageError(
                f"states={self.folder}: are of another training: {_difference(theirs, self.parts)}; {_GIVE}"
            )
        return checkpoint.snapshot


_GIVE = "give the --workload, --seed, --at, --steps and --optimizer of the training that was watched"


def logged_run(path: Path) -> Run:
    """The losses in a log of `spikecheck.Watch`.

    Raises:
        UsageError: when it is another file, or lacks steps in between.
    """
    steps = list(WatchLog.open(path).ordered())
    if not steps:
        raise UsageError(f"{path}: holds no step; let the watched training make some")
    first = steps[0].step
    for expected, step in enumerate(steps, first):
        if step.step != expected:
            raise UsageError(
                f"{path}: lacks step {expected:,}; give a log in which every step is, or leave the states out"
            )
    return Run(first, [_loss(step) for step in steps])


def check_belongs(training: Training, kept: Kept, run: Run) -> None:
    """Make the step after the last state within the log, and compare its loss with the log's; the training is left there.

    Raises:
        UsageError: when the state does not fit into the training, or the loss is another.
    """
    state = kept.before(run.first + len(run.losses) - 1)
    put_back(training, state, kept.folder)
    logged = run.losses[state.steps - run.first] if state.steps >= run.first else math.nan
    (loss,) = training.run(1)
    if math.isfinite(logged) and math.isfinite(loss) and abs(loss - logged) > _AGREES * abs(logged):
        raise UsageError(
            f"states={kept.folder}: step {state.steps:,} has the loss {logged:.6g} in the log and {loss:.6g} from the state "
            f"before it; {_GIVE}, and its log"
        )


def put_back(training: Training, state: Snapshot, folder: Path) -> None:
    """Restore a state; raises UsageError where it does not fit into the training."""
    try:
        training.restore(state)
    except UsageError as error:
        if error.__cause__ is None:  # not a part that refuses its state
            raise
        raise UsageError(
            f"states={folder}: do not fit into the training: {reason_of(error.__cause__)}; {_GIVE}"
        ) from error


@dataclass(frozen=True)
class StatesAndKept(States):
    """The states that explaining writes itself, and those that the training left."""

    kept: Kept

    def before(self, step: int) -> Snapshot:
        """The last of either kind."""
        own, theirs = super().before(step), self.kept.before(step)
        return theirs if own is None or own.steps < theirs.steps else own


def _loss(step: Step) -> float:
    return step.loss if step.loss is not None else float(step.not_finite or "nan")


def _difference(theirs: object, ours: Mapping[str, str]) -> str:
    """The first part that is not the same in both."""
    known = theirs if isinstance(theirs, dict) else {}
    for name in [*known, *ours]:
        if known.get(name) != ours.get(name):
            return f"state[{name!r}] was {known.get(name, 'not there')} and is {ours.get(name, 'not there')}"
    return "they do not say of which"
