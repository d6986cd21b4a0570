"""Runs survive storage."""

import numpy as np
import pytest

from spikecheck.core.errors import CorruptEntry
from spikecheck.core.intervention import LowerRate
from spikecheck.core.run import Ended, Run, Snapshot
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike
from spikecheck.lab.codec import Checkpoints, decode, encode
from spikecheck.lab.store import Entry


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_run_and_its_checkpoints_come_back(dtype: type[np.floating]) -> None:
    run = a_run()
    kept = Checkpoints(np.array([0, 50]), np.ones((2, 6), dtype), {"first": np.zeros((2, 6), dtype)})
    back, states = decode(encode(run, kept))
    assert states is not None
    assert (back.setting, back.seed, back.start, back.ended, back.spikes) == (
        run.setting, run.seed, run.start, run.ended, run.spikes
    )  # fmt: skip
    np.testing.assert_array_equal(back.loss, run.loss)
    np.testing.assert_array_equal(back.snapshots["end"].params, run.snapshots["end"].params)
    np.testing.assert_array_equal(back.records["anatomy"]["sharpness"], np.ones((3, 2)))
    assert states.params.dtype == dtype
    assert set(states.slots) == {"first"}


def test_a_run_without_checkpoints_has_none() -> None:
    assert decode(encode(a_run()))[1] is None


def test_nan_is_never_stored() -> None:
    with pytest.raises(ValueError, match="NaN"):
        encode(a_run(float("nan")))


@pytest.mark.parametrize("about", [{"format": 99}, {"format": 1}])
def test_another_format_is_corrupt(about: dict[str, int]) -> None:
    with pytest.raises(CorruptEntry):
        decode(Entry({}, about))
