"""Runs survive storage."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from spikecheck.core.errors import CorruptEntry
from spikecheck.core.intervention import Continue, FreezeOutside, LowerRate
from spikecheck.core.run import Ended, Run, Snapshot
from spikecheck.core.setting import OPTIMIZERS, Setting
from spikecheck.core.spike import Spike
from spikecheck.lab.run_codec import Checkpoints, decode, encode
from spikecheck.lab.store import Store
from spikecheck.lab.store_format import Entry

STEPS = st.integers(0, 10**9)
SHAPES = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
ARRAYS = arrays(np.float64, SHAPES, elements=st.floats(allow_nan=False))
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
LANDMARKS = st.text("abcde_", min_size=1, max_size=4)
SETTINGS = st.builds(
    Setting,
    lr=st.floats(1e-300, 1e3),
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    target=st.sampled_from(["sin x", "sin x + sin 4x"]),
    intervention=st.sampled_from(
        [None, Continue(horizon=3), FreezeOutside(horizon=9), LowerRate(factor=0.3, horizon=7)]
    ),
)
RUNS = st.builds(
    Run,
    setting=SETTINGS,
    seed=st.integers(0, 2**64),
    start=STEPS,
    loss=arrays(np.float64, st.integers(0, 20), elements=st.floats(allow_nan=False)),
    ended=st.builds(Ended, st.sampled_from(["completed", "diverged"]), STEPS),
    spikes=st.lists(
        st.builds(Spike, STEPS, STEPS, STEPS, st.none() | STEPS, st.floats(1.0, allow_nan=False)), max_size=3
    ).map(tuple),
    snapshots=st.dictionaries(LANDMARKS, st.builds(Snapshot, STEPS, ARRAYS, ARRAYS, ARRAYS), max_size=3),
    records=st.dictionaries(LANDMARKS, st.dictionaries(NAMES, ARRAYS, max_size=3), max_size=2),
)
STATES = (
    st.sampled_from([np.float32, np.float64])
    .flatmap(
        lambda dtype: st.builds(
            Checkpoints,
            arrays(np.int64, 2, elements=STEPS),
            arrays(dtype, (2, 3)),
            st.dictionaries(NAMES, arrays(dtype, (2, 3)), max_size=2),
        )
    )
    .filter(lambda states: not any(np.isnan(array).any() for array in [states.params, *states.slots.values()]))
)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Bit for bit: also the sign of a zero."""
    return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


def arrays_of(run: Run) -> dict[str, np.ndarray]:
    taken = {f"{name} {part}": getattr(snap, part) for name, snap in run.snapshots.items() for part in
             ("params", "input_weights", "output_weights")}  # fmt: skip
    recorded = {f"{probe} {name}": array for probe, record in run.records.items() for name, array in record.items()}
    return {"loss": run.loss} | taken | recorded


@settings(max_examples=60)
@given(RUNS, st.none() | STATES)
def test_any_run_comes_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, run: Run, kept: Checkpoints | None
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    store.put("ab" * 32, encode(run, kept))
    stored = store.get("ab" * 32)
    assert stored is not None
    back, states = decode(stored)
    assert (back.setting, back.seed, back.start, back.ended, back.spikes) == (
        run.setting, run.seed, run.start, run.ended, run.spikes
    )  # fmt: skip
    assert [(name, snap.step) for name, snap in back.snapshots.items()] == [
        (name, snap.step) for name, snap in run.snapshots.items()
    ]
    assert [(probe, list(record)) for probe, record in back.records.items()] == [
        (probe, list(record)) for probe, record in run.records.items()
    ]
    assert all(same(array, arrays_of(run)[name]) for name, array in arrays_of(back).items())
    assert not any(array.flags.writeable for array in arrays_of(back).values())
    assert (states is None) == (kept is None)
    if states is not None and kept is not None:
        assert set(states.slots) == set(kept.slots)
        assert all(same(states.slots[name], slot) for name, slot in kept.slots.items())
        assert same(states.steps, kept.steps) and same(states.params, kept.params)


def a_run(loss: float = 1.0) -> Run:
    snapshot = Snapshot(3, np.arange(6.0), np.ones((2, 2)), np.ones((2, 1)))
    return Run(
        setting=Setting(intervention=LowerRate(factor=0.5, horizon=7)),
        seed=5,
        start=11,
        loss=np.array([loss, 2.0]),
        ended=Ended("diverged", 13),
        spikes=(Spike(0, 1, 2, None, 9.0), Spike(3, 4, 5, 6, float("inf"))),
        snapshots={"end": snapshot},
        records={"anatomy": {"steps": np.arange(3.0), "sharpness": np.ones((3, 2))}},
    )


def test_a_run_without_checkpoints_has_none() -> None:
    assert decode(encode(a_run()))[1] is None


def test_a_spike_of_infinite_height_comes_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("ab" * 32, encode(a_run()))
    stored = store.get("ab" * 32)
    assert stored is not None
    assert decode(stored)[0].spikes == a_run().spikes


def test_nan_is_never_stored() -> None:
    nan = float("nan")
    with pytest.raises(ValueError, match=r"loss of seed 5 holds NaN"):
        encode(a_run(nan))
    with pytest.raises(ValueError, match="height of NaN"):
        encode(replace(a_run(), spikes=(Spike(0, 1, 2, None, nan),)))
    with pytest.raises(ValueError, match="checkpoint/slot/first"):
        encode(a_run(), Checkpoints(np.array([0]), np.ones((1, 6)), {"first": np.full((1, 6), nan)}))


@pytest.mark.parametrize(
    "change",
    [{"format": 1}, {"format": 99}, {"ended": []}, {"spikes": [[1, 2]]}, {"snapshots": {"peak": 3}}, {"records": []},
     {"setting": "{"}, {"setting": '{"lr": -1.0}'}, {"setting": '{"optimizer": "of the future"}'}],
)  # fmt: skip
def test_what_this_version_cannot_read_is_corrupt(change: dict[str, object]) -> None:
    entry = encode(a_run())
    with pytest.raises(CorruptEntry):
        decode(Entry(entry.arrays, {**entry.about, **change}))


@pytest.mark.parametrize("lost", ["seed", "records", "setting"])
def test_what_lacks_a_part_is_corrupt(lost: str) -> None:
    entry = encode(a_run())
    with pytest.raises(CorruptEntry, match=lost):
        decode(Entry(entry.arrays, {name: value for name, value in entry.about.items() if name != lost}))
