"""Mutations of recorded trials: functions from a trial to a trial, like the plants of positive controls."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from spikecheck import Run, Setting, Spike, SpikeDefinition, Trial, with_loss, with_record
from spikecheck.core.run import Array, Snapshot
from spikecheck.harness.plants import with_run

Recorded = Mapping[str, Array]
Order = NDArray[np.int64]

TIMED = ("anatomy", "sharpness", "trail", "balance")
"""Probes that record step by step."""
SHARPNESS = dict.fromkeys(TIMED, ("sharpness",)) | {"directions": ("values",)}
"""Arrays of eigenvalues, by the probe's kind."""
MOTION = {
    "anatomy": ("swing", "next_swing", "gradient_curvature"),
    "balance": ("displacement", "sharpening", "steepness"),
    "trail": ("gradient_curvature",),
}
"""Arrays about the motion along eigendirections and gradients, by the probe's kind."""
OUTPUTS = dict.fromkeys(("anatomy", "trail", "directions"), ("outputs",))
"""Arrays of functions on the held-out points, by the probe's kind."""
EARLY = 100
"""Steps by which `landmark early` moves an onset."""

_PAIRS = {"anatomy": (1, ("sharpness", "residual", "swing", "next_swing")), "directions": (0, ("values", "residual"))}
_VECTORS = {"anatomy": (1, ("swing", "next_swing")), "directions": (0, ("deviation",))}
_POINTS = {"outputs": {"anatomy": 1, "trail": 1, "directions": 0}, "deviation": {"directions": 1}}
_POINTS |= {"own": {"directions": 0}, "random_deviation": {"directions": 1}}


def drawn(trial: Trial, salt: str) -> np.random.Generator:
    """A generator that depends on the trial's seed and on the purpose of the draw, `salt`."""
    return np.random.default_rng([trial.seed, crc32(salt.encode())])


def on_records(trial: Trial, change: Callable[[str, Recorded], Recorded]) -> Trial:
    """The trial with every record of every arm changed; `change` returns the arrays to replace, by the probe's kind."""
    for arm, run in trial.arms.items():
        for kind, record in run.records.items():
            trial = with_record(trial, arm, kind, **change(kind, record))
    return trial


def strangers(trial: Trial, arrays: Mapping[str, tuple[str, ...]]) -> Trial:
    """Another seed's arrays in place of the trial's own; the ends of a shorter record are repeated."""
    if trial.other is None:
        return trial
    for arm, run in trial.arms.items():
        theirs = trial.other[arm]
        for kind, record in run.records.items():
            there = theirs.records.get(kind, {})
            at = _matching(run, theirs, kind)
            taken = {name: there[name][at] for name in arrays.get(kind, ()) if name in record and name in there}
            trial = with_record(trial, arm, kind, **taken)
    return trial


def _matching(run: Run, theirs: Run, kind: str) -> Order | slice:
    """For every step of a record, the step of the other seed's record: equally far from the onset if both have a spike."""
    if kind not in TIMED:
        return slice(None)
    mine, there = (len(one.records[kind]["steps"]) for one in (run, theirs))
    return np.clip(np.arange(mine) + _onset(theirs, kind) - _onset(run, kind), 0, there - 1)


def _onset(run: Run, kind: str) -> int:
    """The place of the first spike's onset within an anatomy's record; a fork's record begins at the onset."""
    whole = kind == "anatomy" and run.setting.intervention is None and run.has_spike
    return run.spikes[0].onset - int(run.records[kind]["steps"][0]) if whole else 0


def second_pair(trial: Trial) -> Trial:
    """Shift every eigenpair's values and vectors to the pair before it, and the first pair's to the last."""
    return second_direction(on_records(trial, lambda kind, record: _rolled(kind, record, _PAIRS)), ("directions",))


def second_direction(trial: Trial, kinds: tuple[str, ...] = ("anatomy", "directions")) -> Trial:
    """Shift only the quantities along the vectors as `second_pair` does; eigenvalues stay."""
    vectors = {kind: along for kind, along in _VECTORS.items() if kind in kinds}
    return on_records(trial, lambda kind, record: _rolled(kind, record, vectors))


def _rolled(kind: str, record: Recorded, along: Mapping[str, tuple[int, tuple[str, ...]]]) -> Recorded:
    axis, names = along.get(kind, (0, ()))
    return {name: np.roll(record[name], -1, axis) for name in names}


def random_direction(trial: Trial) -> Trial:
    """Replace quantities along the first eigendirection by those along a random one, as recorded, else by noise."""
    return on_records(trial, lambda kind, record: _random(kind, record, drawn(trial, "direction")))


def _random(kind: str, record: Recorded, draw: np.random.Generator) -> Recorded:
    if kind == "directions":
        deviation = record["deviation"].copy()
        noise = draw.normal(size=deviation[0].shape)
        known = record.get("random_deviation")
        deviation[0] = noise / np.linalg.norm(noise) if known is None else known[0]
        return {"deviation": deviation}
    if kind != "anatomy":
        return {}
    size = np.median(np.abs(record["swing"][:, 0]))
    moved = {name: record[name].copy() for name in ("swing", "next_swing")}
    for motion in moved.values():
        motion[:, 0] = size * draw.normal(size=len(motion))
    return moved


def shuffled(trial: Trial) -> Trial:
    """Shuffle every record's steps, in the same order for all its arrays; the step numbers stay."""
    return on_records(trial, lambda _, record: _ordered(record, drawn(trial, "time").permutation))


def backwards(trial: Trial) -> Trial:
    """Reverse every record, so that motion before a step becomes motion after it; landmarks are exchanged likewise."""
    return on_records(trial, lambda _, record: _turned(_ordered(record, _from_the_end)) | _landmarks(record))


def _ordered(record: Recorded, order: Callable[[int], Order]) -> dict[str, Array]:
    """All arrays with one value per step, in another order."""
    if "steps" not in record:
        return {}
    at = order(len(record["steps"]))
    return {name: array[at] for name, array in record.items() if name != "steps" and len(array) == len(at)}


def _from_the_end(count: int) -> Order:
    return np.arange(count)[::-1]


def _turned(record: dict[str, Array]) -> dict[str, Array]:
    swapped = {"swing": "next_swing", "next_swing": "swing"}
    return {name: record[swapped.get(name, name)] for name in record}


def _landmarks(record: Recorded) -> dict[str, Array]:
    """The record of a Stability probe with onset and recovery exchanged."""
    both = "onset" in record and "recovery" in record
    return {"onset": record["recovery"], "recovery": record["onset"]} if both else {}


def losses_shuffled(trial: Trial, definition: SpikeDefinition) -> Trial:
    """Shuffle every arm's losses, and detect spikes in them again."""
    return _losses(trial, definition, lambda count: drawn(trial, "loss").permutation(count))


def losses_backwards(trial: Trial, definition: SpikeDefinition) -> Trial:
    """Reverse every arm's losses, and detect spikes in them again."""
    return _losses(trial, definition, _from_the_end)


def _losses(trial: Trial, definition: SpikeDefinition, order: Callable[[int], Order]) -> Trial:
    for arm, run in trial.arms.items():
        trial = with_loss(trial, arm, run.loss[order(len(run.loss))], definition)
    return trial


def flatter(trial: Trial, factor: float = 0.9) -> Trial:
    """Multiply every recorded eigenvalue by `factor`."""
    return on_records(trial, lambda kind, record: {name: factor * record[name] for name in SHARPNESS.get(kind, ())})


def threshold_times(trial: Trial, factor: float) -> Trial:
    """Multiply the stability threshold by `factor`, and divide the linearised update's multipliers by it."""
    for arm, run in trial.arms.items():
        trial = with_run(trial, arm, replace(run, setting=_slower(run.setting, factor)))
    moved = replace(trial, setting=_slower(trial.setting, factor))
    return on_records(moved, lambda kind, record: _multipliers(kind, record, factor))


@lru_cache(maxsize=64)
def _slower(setting: Setting, factor: float) -> Setting:
    return setting.but(lr=setting.lr / factor)


def _multipliers(kind: str, record: Recorded, factor: float) -> Recorded:
    if kind != "stability":
        return {}
    return {name: np.array([*values[:2] / factor, *values[2:]]) for name, values in record.items()}


def points_shuffled(trial: Trial) -> Trial:
    """Shuffle the held-out points, in the same order for every function on them and for all arms."""
    return on_records(trial, lambda kind, record: _at_points(kind, record, drawn(trial, "points")))


def _at_points(kind: str, record: Recorded, draw: np.random.Generator) -> Recorded:
    axes = {name: of[kind] for name, of in _POINTS.items() if kind in of and name in record}
    if not axes:
        return {}
    at = draw.permutation(record["outputs"].shape[axes["outputs"]])
    return {name: np.take(record[name], at, axis) for name, axis in axes.items()}


def outputs_in_training(trial: Trial) -> Trial:
    """Replace outputs on held-out points by those on training points, repeated as often as needed."""
    return on_records(trial, lambda _, record: _in_training(record))


def _in_training(record: Recorded) -> Recorded:
    if "train_outputs" not in record:
        return {}
    there, wanted = len(record["train_outputs"]), len(record["outputs"])
    at = np.linspace(0, there - 1, wanted).round().astype(np.int64)
    return {"outputs": record["train_outputs"][at]}


def columns_for_rows(trial: Trial) -> Trial:
    """Transpose the input weights, so that coordinates are taken for neurons."""
    return _weights(trial, lambda weights: weights.swapaxes(-1, -2))


def coordinates_shuffled(trial: Trial) -> Trial:
    """Shuffle every coordinate of the input weights among the neurons, each coordinate separately."""

    def change(weights: Array) -> Array:
        draw = drawn(trial, "weights")
        orders = [draw.permutation(weights.shape[-2]) for _ in range(weights.shape[-1])]
        return np.stack([weights[..., order, column] for column, order in enumerate(orders)], axis=-1)

    return _weights(trial, change)


def _weights(trial: Trial, change: Callable[[Array], Array]) -> Trial:
    """Change the input weights [..., W, D + 1] in every snapshot and record; models without such a layer stay unchanged."""

    def some(weights: Array) -> Array:
        return change(weights) if weights.size else weights

    for arm, run in trial.arms.items():
        snapshots = {at: replace(s, input_weights=some(s.input_weights)) for at, s in run.snapshots.items()}
        trial = with_run(trial, arm, replace(run, snapshots=snapshots))
    return on_records(trial, lambda _, record: {n: some(record[n]) for n in ("input_weights",) if n in record})


def start_for_end(trial: Trial) -> Trial:
    """Replace every arm's final weights by those it started from."""
    for arm, run in trial.arms.items():
        snapshots = {**run.snapshots, "end": _moved(run.snapshots["start"], run.snapshots["end"].step)}
        trial = with_run(trial, arm, replace(run, snapshots=snapshots))
    return trial


def _moved(snapshot: Snapshot, step: int) -> Snapshot:
    return replace(snapshot, step=step)


def swapped(trial: Trial) -> Trial:
    """Assign the runs to the arms in reverse order."""
    return replace(trial, arms=dict(zip(trial.arms, reversed(list(trial.arms.values())), strict=True)))


def alike(trial: Trial) -> Trial:
    """Give every arm the run of the last arm."""
    *_, last = trial.arms.values()
    return replace(trial, arms=dict.fromkeys(trial.arms, last))


def strangers_twin(trial: Trial) -> Trial:
    """Replace the last arm's run by another seed's."""
    *_, last = trial.arms
    return trial if trial.other is None else with_run(trial, last, trial.other[last])


def spikes_early(trial: Trial) -> Trial:
    """Move the first spike of every run with a step-by-step record a hundred steps earlier, but not before the record."""
    for arm, run in trial.arms.items():
        if run.has_spike and "anatomy" in run.records and run.setting.intervention is None:
            early = max(min(EARLY, _onset(run, "anatomy") - 1), 0)
            trial = with_run(trial, arm, replace(run, spikes=(_shifted(run.spikes[0], early), *run.spikes[1:])))
    return trial


def _shifted(spike: Spike, early: int) -> Spike:
    recovery = None if spike.recovery is None else spike.recovery - early
    return Spike(spike.trough - early, spike.onset - early, spike.peak - early, recovery, spike.height)


def in_every_second_seed(plant: Callable[[Trial], Trial]) -> Callable[[Trial], Trial]:
    """A plant that is applied to even seeds only."""
    return lambda trial: plant(trial) if trial.seed % 2 == 0 else trial
