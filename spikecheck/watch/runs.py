"""Trainings of workloads, kept in a store and resumed from checkpoints: what was trained once is not trained again.

A run is stored under the digest of everything that decides it: the sources of workload and optimizer, options, seed, steps,
and the environment. A run that is killed goes on from its last checkpoint, and ends with the bits of one that was not.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import spikecheck
from spikecheck.core.errors import CorruptEntry, SettingError, SpikecheckError, StoreError
from spikecheck.core.whole_file import remove_abandoned
from spikecheck.lab.store import Store
from spikecheck.lab.store_format import Entry
from spikecheck.watch.checkpoint import load_checkpoint, save_checkpoint
from spikecheck.watch.training import Training
from spikecheck.watch.workload import OptimizerChoice, Workload

RUNS_EPOCH = 1
"""Raised by one whenever a change here or in the workloads that ship changes any bit of any run."""

SAVE_EVERY = 60.0
"""Seconds between two checkpoints, at least; more where writing them would cost over a thirtieth of the time."""
_SHARE = 30
_FORGOTTEN_AFTER = 30 * 24 * 3600.0
_LOOK_EVERY = 0.5
"""Seconds of training between two looks at the clock."""
_MOST_AT_ONCE = 500
"""Steps between two such looks, at most."""

Tick = Callable[[int], None]
"""Told how many steps a run has made in all. May raise to stop it; a checkpoint is then written first."""


def unheard(*told: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class Order:
    """One training to be made: all that decides it but the environment."""

    workload: Workload
    seed: int
    steps: int
    optimizer: OptimizerChoice | None = None
    """None for the workload's own."""
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, least in (("seed", 0), ("steps", 1)):
            if getattr(self, name) < least:
                raise SettingError(f"{name}={getattr(self, name)!r}: give {least} or more")

    def begin(self) -> Training:
        """The training before its first step."""
        make = None if self.optimizer is None else self.optimizer.make()
        return self.workload.make(make, self.seed, self.device)

    def digest(self, about: dict[str, Any]) -> str:
        """sha256 over the order, the sources it names, the environment, and what the training says of itself."""
        sources = [self.workload.source(), "" if self.optimizer is None else self.optimizer.source()]
        parts = [RUNS_EPOCH, asdict(self), sources, environment(self.device), about]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()


@dataclass(frozen=True)
class WorkloadRun:
    """What one training left behind."""

    order: Order
    losses: NDArray[np.float64]
    """[T], of each step's batch before the update; ends before the first of those that were no number to the end."""
    diverged: bool
    """Whether the losses stopped being numbers for good."""
    seconds_a_step: float
    """The median over stretches of half a second; a checkpoint is in none."""
    about: dict[str, Any] = field(default_factory=dict)
    """What the training says of itself, such as its parameters and the digest of its data."""
    reused: bool = False
    """Whether it came from the store."""
    resumed_at: int = 0
    """The step from which this process went on."""
    warning: str = ""
    """Why it, or its checkpoints, could not be stored; empty where they could."""


def environment(device: str) -> dict[str, str | int]:
    """What may change a run's bits on another machine, or in another installation."""
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


def train(order: Order, store: Store | None, tick: Tick = unheard, save_every: float = SAVE_EVERY) -> WorkloadRun:
    """One training: from the store, from its checkpoint, or from the start.

    Args:
        order: what to train.
        store: where runs and checkpoints are kept; None keeps nothing.
        tick: told the steps made so far, about every half second.
        save_every: seconds between two checkpoints, at least.

    Raises:
        SpikecheckError: when workload or optimizer cannot be used, with what they raised in one line.
    """
    training = order.begin()
    digest = order.digest(training.about)
    known = None if store is None else _stored(store, digest, order)
    if known is not None:
        return known
    path = None if store is None else store.folder / "checkpoints" / f"{digest}.pt"
    run = _Run(order, training, path, save_every)
    run.resume()
    found = run.finish(tick)
    return found if store is None or path is None else _kept(found, store, digest, path)


def stored(order: Order, store: Store) -> WorkloadRun | None:
    """The run, if it was trained before. Makes the training, since its digest follows what that says of itself."""
    return _stored(store, order.digest(order.begin().about), order)


def forget_old_checkpoints(store: Store) -> None:
    """Remove those that nobody has gone on from for a month, and what killed writers left behind."""
    remove_abandoned(store.folder / "checkpoints", ".")
    for file in (store.folder / "checkpoints").glob("*"):
        with suppress(OSError):  # another process may be faster, and a file that stays does no harm
            if time.time() - file.stat().st_mtime > _FORGOTTEN_AFTER:
                file.unlink()


def _kept(run: WorkloadRun, store: Store, digest: str, path: Path) -> WorkloadRun:
    """The run, stored; where that fails, with the reason: hours of training are not lost to a full disk."""
    about = {"diverged": run.diverged, "seconds_a_step": run.seconds_a_step, "about": run.about}
    try:
        store.put(digest, Entry({"losses": run.losses}, about))
    except StoreError as error:
        return replace(run, warning=str(error))
    path.unlink(missing_ok=True)
    return run


class _Run:
    """A training on its way, with what it has left so far."""

    def __init__(self, order: Order, training: Training, path: Path | None, save_every: float) -> None:
        self._order, self._training, self._path, self._save_every = order, training, path, save_every
        self._losses: list[float] = []
        self._paces: list[float] = []
        self._saved = time.monotonic()
        self._cost = 0.0
        self._resumed_at = 0
        self._warning = ""

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one that can be read; another is no loss but time."""
        found = None
        if self._path is not None:
            with suppress(CorruptEntry):
                found = load_checkpoint(self._path)
        if found is not None:
            self._training.restore(found.snapshot)
            self._losses, self._paces = found.about["losses"].tolist(), found.about["paces"].tolist()
            self._resumed_at = found.snapshot.steps

    def finish(self, tick: Tick) -> WorkloadRun:
        """Make the steps that are left."""
        while (left := self._order.steps - self._training.steps) > 0 and not self._lost():
            self._advance(min(left, self._at_once()))
            try:
                tick(self._training.steps)
            except BaseException:
                self._save()
                raise
            if self._due():
                self._save()
        return self._result()

    def _advance(self, steps: int) -> None:
        began = time.perf_counter()
        try:
            self._losses += self._training.run(steps)
        except SpikecheckError:
            raise
        except torch.OutOfMemoryError:
            raise SettingError(
                f"device={self._order.device!r}: out of memory at step {self._training.steps}; choose a smaller size"
            ) from None
        except Exception as error:
            first = (str(error).splitlines() or [""])[0]
            raise SettingError(
                f"workload={self._order.workload.path!r}: step {self._training.steps} raised {type(error).__name__}: "
                f"{first}; run it by itself to see"
            ) from error
        self._paces.append((time.perf_counter() - began) / steps)

    def _at_once(self) -> int:
        """Steps until the next look at the clock; the first is alone, since it pays for what is made once."""
        return max(1, min(_MOST_AT_ONCE, round(_LOOK_EVERY / self._paces[-1]))) if self._paces else 1

    def _lost(self) -> bool:
        """Whether the last hundred losses were no numbers; scaled gradients may overflow for a few steps."""
        late = self._losses[-100:]
        return len(late) == 100 and not any(map(math.isfinite, late))

    def _due(self) -> bool:
        return time.monotonic() - self._saved > max(self._save_every, _SHARE * self._cost)

    def _save(self) -> None:
        if self._path is None:
            return
        began = time.monotonic()
        losses, paces = (torch.tensor(numbers, dtype=torch.float64) for numbers in (self._losses, self._paces))
        try:
            save_checkpoint(self._path, self._training.snapshot(), losses=losses, paces=paces)
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
            resumed_at=self._resumed_at,
            warning=self._warning,
        )


def _stored(store: Store, digest: str, order: Order) -> WorkloadRun | None:
    """What the store holds under the digest; a damaged entry is trained again."""
    try:
        entry = store.get(digest)
    except CorruptEntry:
        return None
    if entry is None:
        return None
    about = entry.about
    return WorkloadRun(
        order, entry.arrays["losses"], about["diverged"], about["seconds_a_step"], about["about"], reused=True
    )
