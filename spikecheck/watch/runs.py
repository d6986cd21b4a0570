"""Trains workloads, stores their runs, and resumes from checkpoints.

A run is stored under the digest of everything that determines it: the sources of workload and optimizer, options, seed,
steps and environment. A killed run resumes from its last checkpoint and ends with the same bits as an uninterrupted one.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from platform import python_version
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

import spikecheck
from spikecheck.core.errors import CorruptEntry, SettingError, SpikecheckError, StoreError
from spikecheck.core.whole_file import remove_abandoned
from spikecheck.lab.store import Store
from spikecheck.lab.store_format import Entry
from spikecheck.watch.checkpoint import load_checkpoint, save_checkpoint
from spikecheck.watch.late_looks import LateLooks
from spikecheck.watch.training import Step, Training
from spikecheck.watch.workload import OptimizerChoice, Workload, in_one_line

RUNS_EPOCH = 3
"""Raised by one whenever a change here or in the workloads that ship changes any bit of any run, or what is kept of it."""

SAVE_EVERY = 60.0
"""Least number of seconds between two checkpoints. More if writing them would take over a thirtieth of the time."""
_SHARE = 30
_FORGOTTEN_AFTER = 30 * 24 * 3600.0
_LOOK_EVERY = 0.5
"""Seconds of training between two readings of the clock."""
_MOST_AT_ONCE = 500
"""Largest number of steps between two readings of the clock."""

T = TypeVar("T")
Tick = Callable[[int], None]
"""Called with the steps made so far. It may raise to stop the run; a checkpoint is written first."""


Seen = Callable[[Training, Sequence[float]], None]
"""Called about every half second with the training and all its losses so far. It must leave the training as it is."""


def ignore_progress(*steps: int) -> None:
    """A progress callback that does nothing."""


def ignore_training(training: Training, losses: Sequence[float]) -> None:
    """A `Seen` that does nothing."""


class Looker(Protocol):
    """Measures a training between its steps, and changes nothing in it."""

    def begin(self) -> None:
        """Called once, before the first step."""
        ...

    def __call__(self, step: Step) -> None:
        """Called after every step."""
        ...

    @property
    def over(self) -> bool:
        """Whether it needs no further step."""
        ...

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """What was measured so far."""
        ...

    def state(self) -> dict[str, Any]:
        """What `restore` needs: tensors, numbers, and lists and dicts of these."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        ...


@dataclass(frozen=True)
class Order:
    """One training: everything that determines it except the environment."""

    workload: Workload
    seed: int
    steps: int
    optimizer: OptimizerChoice | None = None
    """None for the workload's own optimizer."""
    device: str = "cpu"
    looks: int = 0
    """Looks at the overshoot in the last tenth of the steps, about; they change no bit of the training."""

    def __post_init__(self) -> None:
        for name, least in (("seed", 0), ("steps", 1), ("looks", 0)):
            if getattr(self, name) < least:
                raise SettingError(f"{name}={getattr(self, name)!r}: give {least} or more")

    def begin(self) -> Training:
        """Create the training, before its first step."""
        make = None if self.optimizer is None else self.optimizer.make()
        return self.workload.make(make, self.seed, self.device)

    def looker(self, training: Training) -> Looker | None:
        """What measures the training on its way; None where only losses are kept."""
        return None

    def digest(self, about: dict[str, Any]) -> str:
        """SHA-256 of the order, the sources it names, the environment, and the training's `about`."""
        sources = [self.workload.source(), "" if self.optimizer is None else self.optimizer.source()]
        parts = [RUNS_EPOCH, asdict(self), sources, environment(self.device), about]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()


@dataclass(frozen=True)
class WorkloadRun:
    """The result of one training."""

    order: Order
    losses: NDArray[np.float64]
    """[T] loss of each step's batch before the update, without the losses at the end that are not finite."""
    diverged: bool
    """Whether the last losses were not finite."""
    seconds_a_step: float
    """Median over stretches of half a second, without the time for checkpoints."""
    about: dict[str, Any] = field(default_factory=dict)
    """What the training says of itself, such as its parameters and the digest of its data."""
    overshoots: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """[L], of the looks in the last tenth that could be resolved."""
    reused: bool = False
    """Whether it was read from the store."""
    resumed_at: int = 0
    """The step from which this process resumed; 0 for a start."""
    arrays: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """What the order's looker measured, by name."""
    warning: str = ""
    """Why the run or its checkpoints could not be stored; empty if they could."""


def environment(device: str) -> dict[str, str | int]:
    """Versions and hardware that may change a run's bits."""
    on_cpu = torch.device(device).type == "cpu"
    return {
        "spikecheck": spikecheck.__version__,
        "torch": str(torch.__version__),
        "python": python_version(),
        "numpy": np.__version__,
        "device": f"cpu {torch.backends.cpu.get_cpu_capability()}" if on_cpu else _accelerator(device),
        "threads": torch.get_num_threads() if on_cpu else 0,
    }


def _accelerator(device: str) -> str:
    kind = torch.device(device).type
    return f"{kind} {torch.cuda.get_device_name(device)}" if kind == "cuda" else kind


def train(
    order: Order,
    store: Store | None,
    tick: Tick = ignore_progress,
    save_every: float = SAVE_EVERY,
    seen: Seen = ignore_training,
) -> WorkloadRun:
    """Return the stored run, or train: from the checkpoint if there is one, else from the start.

    Args:
        order: the training.
        store: where runs and checkpoints are stored; None stores nothing.
        tick: called with the steps made so far, about every half second.
        save_every: least number of seconds between two checkpoints.
        seen: called about as often with the training; not where the run is stored.

    Raises:
        SpikecheckError: workload or optimizer cannot be used; the message quotes their error in one line.
    """
    training = order.begin()
    digest = order.digest(training.about)
    known = None if store is None else _stored(store, digest, order)
    if known is not None:
        return known
    path = None if store is None else store.folder / "checkpoints" / f"{digest}.pt"
    run = _Run(order, training, path, save_every)
    run.resume()
    finished = run.finish(tick, seen)
    return finished if store is None or path is None else _kept(finished, store, digest, path)


def stored(order: Order, store: Store) -> WorkloadRun | None:
    """The stored run, or None. Creates the training, because the digest depends on its `about`."""
    return _stored(store, order.digest(order.begin().about), order)


def forget_old_checkpoints(store: Store) -> None:
    """Remove checkpoints that were not written for 30 days, and what killed writers left behind."""
    remove_abandoned(store.folder / "checkpoints", ".")
    for file in (store.folder / "checkpoints").glob("*"):
        with suppress(OSError):  # another process may have removed it, and a remaining file does no harm
            if time.time() - file.stat().st_mtime > _FORGOTTEN_AFTER:
                file.unlink()


def _kept(run: WorkloadRun, store: Store, digest: str, path: Path) -> WorkloadRun:
    """Store the run. If that fails, return it with a warning: a full disk must not discard hours of training."""
    about = {"diverged": run.diverged, "seconds_a_step": run.seconds_a_step, "about": run.about}
    try:
        store.put(digest, Entry({"losses": run.losses, "overshoots": run.overshoots, **run.arrays}, about))
    except StoreError as error:
        return replace(run, warning=str(error))
    path.unlink(missing_ok=True)
    return run


class _Run:
    """A training in progress: its losses, its speed and its checkpoints."""

    def __init__(self, order: Order, training: Training, path: Path | None, save_every: float) -> None:
        self._order, self._training, self._path, self._save_every = order, training, path, save_every
        self._losses: list[float] = []
        self._paces: list[float] = []
        self._saved = time.monotonic()
        self._cost = 0.0
        self._resumed_at = 0
        self._warning = ""
        self._looks = LateLooks(training, order.steps, order.looks)
        self._looker = order.looker(training)

    def resume(self) -> None:
        """Resume from the checkpoint if there is a readable one. A damaged checkpoint costs only time."""
        checkpoint = None
        if self._path is not None:
            with suppress(CorruptEntry):
                checkpoint = load_checkpoint(self._path)
        if checkpoint is not None:
            self._training.restore(checkpoint.snapshot)
            self._losses, self._paces = checkpoint.about["losses"].tolist(), checkpoint.about["paces"].tolist()
            self._looks.overshoots = checkpoint.about["overshoots"].tolist()
            self._resumed_at = checkpoint.snapshot.steps
            if self._looker is not None:
                self._looker.restore(checkpoint.about["looks"])

    def finish(self, tick: Tick, seen: Seen) -> WorkloadRun:
        """Make the remaining steps, with checkpoints in between."""
        if self._looker is not None and not self._training.steps:
            self._guarded(self._looker.begin)
        with closing(self._looks):
            self._make_all(tick, seen)
        return self._result()

    def _make_all(self, tick: Tick, seen: Seen) -> None:
        while (left := self._order.steps - self._training.steps) > 0 and not self._lost():
            self._advance(min(left, self._at_once()))
            seen(self._training, self._losses)
            try:
                tick(self._training.steps)
            except BaseException:
                self._save()
                raise
            if self._due():
                self._save()

    def _advance(self, steps: int) -> None:
        began = time.perf_counter()
        looker = None if self._looker is None or self._looker.over else self._looker
        self._losses += self._guarded(partial(self._looks.run, steps, looker))
        self._paces.append((time.perf_counter() - began) / steps)

    def _guarded(self, work: Callable[[], T]) -> T:
        return in_one_line(work, self._training, self._order.workload.path, self._order.device)

    def _at_once(self) -> int:
        """Steps until the clock is read again. The first step is timed alone, since it includes one-off costs."""
        return max(1, min(_MOST_AT_ONCE, round(_LOOK_EVERY / self._paces[-1]))) if self._paces else 1

    def _lost(self) -> bool:
        """Whether the last hundred losses were not finite. A few are normal: scaled gradients may overflow."""
        late = self._losses[-100:]
        return len(late) == 100 and not any(map(math.isfinite, late))

    def _due(self) -> bool:
        return time.monotonic() - self._saved > max(self._save_every, _SHARE * self._cost)

    def _save(self) -> None:
        if self._path is None:
            return
        began = time.monotonic()
        kept = {"losses": self._losses, "paces": self._paces, "overshoots": self._looks.overshoots}
        tensors = {name: torch.tensor(numbers, dtype=torch.float64) for name, numbers in kept.items()}
        try:
            looks = {} if self._looker is None else {"looks": self._looker.state()}
            save_checkpoint(self._path, self._training.snapshot(), **tensors, **looks)
        except SpikecheckError as error:  # the training itself is sound, and goes on without
            self._path, self._warning = None, str(error)
        self._saved = time.monotonic()
        self._cost = self._saved - began

    def _result(self) -> WorkloadRun:
        losses = np.array(self._losses)
        finite = np.flatnonzero(np.isfinite(losses))
        kept = int(finite[-1]) + 1 if len(finite) else 0
        pace = float(np.median(self._paces[1:] or self._paces))
        diverged = kept < len(losses)
        return WorkloadRun(
            self._order,
            losses[:kept],
            diverged,
            pace,
            dict(self._training.about),
            np.array(self._looks.overshoots),
            resumed_at=self._resumed_at,
            arrays={} if self._looker is None else self._looker.arrays(),
            warning=self._warning,
        )


def _stored(store: Store, digest: str, order: Order) -> WorkloadRun | None:
    """The run stored under the digest; None if there is none or it is damaged."""
    try:
        entry = store.get(digest)
    except CorruptEntry:
        return None
    if entry is None:
        return None
    about, arrays = entry.about, dict(entry.arrays)
    losses, overshoots = arrays.pop("losses"), arrays.pop("overshoots")
    return WorkloadRun(
        *(order, losses, about["diverged"], about["seconds_a_step"], about["about"], overshoots),
        reused=True,
        arrays=arrays,
    )
