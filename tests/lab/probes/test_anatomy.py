"""Autopsies retrace the run, with dense eigenvalues."""

import numpy as np
import pytest

from spikecheck.core.intervention import Continue
from spikecheck.core.probe import Anatomy
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.objective.compiles import SHALLOW_FROM as LONG
from tests.lab.probed import SHORT, SPIKING, runs


@pytest.mark.parametrize(
    "spiking",
    [
        SPIKING,
        SPIKING.but(optimizer="heavy-ball", lr=0.05),
        SPIKING.but(optimizer="adam", lr=0.05),
        SPIKING.but(depth=2, width=10),
        SPIKING.but(dtype="float32"),  # regression: what was gone on with was gone on with in float64
        SPIKING.but(steps=LONG, dtype="float32"),
        SPIKING.but(steps=LONG),
    ],
    ids=["gd", "heavy-ball", "adam", "deeper", "float32", "float32, compiled", "compiled"],
)
def test_the_autopsy_retraces_the_run_exactly_and_forks_continue_it(spiking: Setting) -> None:
    """Also where curvature is seen through a preconditioner: the run that is looked at moves as it did."""
    lab = Laboratory()
    seeds = range(8)
    plain = runs(spiking, seeds, lab=lab)
    seen = runs(spiking, seeds, probe=Anatomy(), lab=lab)
    assert seen, "no seed spiked: nothing was tested"
    for seed, run in seen.items():
        record = run.records["anatomy"]
        assert np.array_equal(record["loss"], plain[seed].loss[record["steps"].astype(int)])
        assert run.snapshots["peak"].step == run.spikes[0].peak
    forks = runs(spiking.but(intervention=Continue(horizon=100)), seeds, lab=lab)
    assert forks
    for seed, fork in forks.items():
        length = min(len(fork.loss), len(plain[seed].loss) - fork.start)
        assert fork.start == plain[seed].spikes[0].onset - 80
        assert np.array_equal(fork.loss[:length], plain[seed].loss[fork.start : fork.start + length])


def test_tracked_sharpness_is_the_dense_one_along_a_run() -> None:
    import torch

    from spikecheck.curvature.eigenpairs import exact
    from spikecheck.curvature.hessian import curvature
    from spikecheck.objective.objective import build_objective

    run = next(iter(runs(SPIKING, range(8), probe=Anatomy()).values()))
    goal = build_objective([run.setting])
    for name in ("onset", "peak"):
        snapshot = run.snapshots[name]
        dense = exact(curvature(goal, torch.from_numpy(snapshot.params)[None]), 1).values[0, 0]
        record = run.records["anatomy"]
        tracked = record["sharpness"][record["steps"] == snapshot.step, 0]
        assert tracked == pytest.approx(float(dense), rel=1e-4)


def test_a_run_that_never_spikes_has_neither_fork_nor_autopsy() -> None:
    calm = SHORT.but(lr=0.001)
    assert runs(calm.but(intervention=Continue(horizon=5)), range(3)) == {}
    assert runs(calm, range(3), probe=Anatomy()) == {}
