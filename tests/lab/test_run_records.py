"""Tensors become runs: divergence has its step, and no array holds a NaN."""

import numpy as np

from tests.lab.probed import SHORT, runs


def test_divergence_is_recorded_with_its_step_and_leaves_no_nan() -> None:
    wild = SHORT.but(lr=50.0, activation="relu", steps=400)
    diverged = [run for run in runs(wild, range(8)).values() if run.diverged]
    assert diverged
    for run in diverged:
        assert np.isfinite(run.loss).all()
        assert run.ended.step == len(run.loss)
