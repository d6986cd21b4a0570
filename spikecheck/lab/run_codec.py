"""Turns runs into stored entries, and stored entries into runs."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from spikecheck.core.errors import CorruptEntry, UsageError
from spikecheck.core.probe import Probe
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Array, Ended, Run, Snapshot
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike
from spikecheck.lab.store_format import Entry

FORMAT = 2
_SNAPSHOT = ("params", "input_weights", "output_weights")


@dataclass(frozen=True, eq=False)
class Checkpoints:
    """Exact training states of one member, in the dtype it trains in. Axes: C checkpoints, P parameters."""

    steps: np.ndarray
    """[C] updates made, in rising order."""
    params: np.ndarray
    """[C, P]"""
    slots: Mapping[str, np.ndarray]
    """[C, P] each: the update rule's state, by the slot's name."""


def encode(run: Run, checkpoints: Checkpoints | None = None, probe: Probe | None = None) -> Entry:
    """The stored entry of a run and of the checkpoints from which it can be resumed. `probe` is that of its recipe.

    Raises:
        ValueError: when an array or a spike's height is NaN. Divergence is recorded in `Run.ended`, absence by a missing key.
    """
    arrays = _arrays(run, checkpoints)
    for name, array in arrays.items():
        if np.isnan(array).any():
            raise ValueError(f"{name} of seed {run.seed} holds NaN; stored arrays must not")
    if any(np.isnan(spike.height) for spike in run.spikes):
        raise ValueError(f"a spike of seed {run.seed} has a height of NaN; stored numbers must not be NaN")
    return Entry(arrays, _about(run) | ({} if probe is None else {"probe": json.loads(probe.canonical())}))


def size_in_memory(run: Run, checkpoints: Checkpoints | None) -> int:
    """Bytes of all arrays."""
    return sum(array.nbytes for array in _arrays(run, checkpoints).values())


def recipe_of(entry: Entry) -> Recipe:
    """The recipe whose run an entry holds. Entries of earlier versions do not name a probe: then its digest differs.

    Raises:
        CorruptEntry: when the entry names none.
    """
    try:
        about = {"probe": entry.about.get("probe"), "seed": entry.about["seed"]}
        return Recipe.model_validate(about | {"setting": _setting(entry.about["setting"])})
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise CorruptEntry(f"a stored run names no recipe ({type(error).__name__}: {error})") from error


def decode(entry: Entry) -> tuple[Run, Checkpoints | None]:
    """The run, read-only, and its checkpoints where it has any.

    Raises:
        CorruptEntry: when the entry has another format or cannot be read.
    """
    about, arrays = entry.about, entry.arrays
    if about.get("format") != FORMAT:
        raise CorruptEntry(f"a stored run has format {about.get('format')!r}, this version reads {FORMAT}")
    try:
        run = Run(
            setting=_setting(about["setting"]),
            seed=about["seed"],
            start=about["start"],
            loss=arrays["loss"],
            ended=Ended(*about["ended"]),
            spikes=tuple(_spike(values) for values in about["spikes"]),
            snapshots={name: _snapshot(step, name, arrays) for name, step in about["snapshots"].items()},
            records={probe: _record(probe, names, arrays) for probe, names in about["records"].items()},
        )
        return run, _checkpoints(arrays)
    except (AttributeError, KeyError, TypeError, ValueError, UsageError) as error:
        raise CorruptEntry(f"a stored run cannot be read ({type(error).__name__}: {error})") from error


def _about(run: Run) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "setting": run.setting.canonical(),
        "seed": run.seed,
        "start": run.start,
        "ended": [run.ended.reason, run.ended.step],
        # JSON has no infinity: a spike from a loss of exactly zero has no finite height
        "spikes": [
            [s.trough, s.onset, s.peak, s.recovery, s.height if np.isfinite(s.height) else None] for s in run.spikes
        ],
        "snapshots": {name: snapshot.step for name, snapshot in run.snapshots.items()},
        # by name: a file's arrays come back in no order, and a record without arrays is still a record
        "records": {probe: list(record) for probe, record in run.records.items()},
    }


@lru_cache(maxsize=1024)
def _setting(canonical: str) -> Setting:
    return Setting.model_validate_json(canonical)


def _spike(values: list[Any]) -> Spike:
    trough, onset, peak, recovery, height = values
    return Spike(trough, onset, peak, recovery, float("inf") if height is None else height)


def _snapshot(step: int, name: str, arrays: Mapping[str, np.ndarray]) -> Snapshot:
    return Snapshot(step, *(arrays[f"snapshot/{name}/{part}"] for part in _SNAPSHOT))


def _record(probe: str, names: Iterable[str], arrays: Mapping[str, np.ndarray]) -> dict[str, Array]:
    return {name: arrays[f"record/{probe}/{name}"] for name in names}


def _checkpoints(arrays: Mapping[str, np.ndarray]) -> Checkpoints | None:
    if "checkpoint/steps" not in arrays:
        return None
    slot = "checkpoint/slot/"
    slots = {key.removeprefix(slot): array for key, array in arrays.items() if key.startswith(slot)}
    return Checkpoints(arrays["checkpoint/steps"], arrays["checkpoint/params"], slots)


def _arrays(run: Run, checkpoints: Checkpoints | None) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {"loss": run.loss}
    for name, snapshot in run.snapshots.items():
        arrays |= {f"snapshot/{name}/{part}": getattr(snapshot, part) for part in _SNAPSHOT}
    for probe, record in run.records.items():
        arrays |= {f"record/{probe}/{name}": array for name, array in record.items()}
    if checkpoints is not None:
        arrays |= {"checkpoint/steps": checkpoints.steps, "checkpoint/params": checkpoints.params}
        arrays |= {f"checkpoint/slot/{name}": array for name, array in checkpoints.slots.items()}
    return arrays
