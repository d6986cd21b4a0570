"""The Trail probe against the run's own weights and outputs, the sharpness trace, and a Hessian-vector product."""

import numpy as np
import pytest

from spikecheck.core.probe import SharpnessTrace, Trail
from spikecheck.curvature.hessian import curvature
from tests.lab.probed import SHORT, outputs, restored, runs


def test_a_trail_records_the_run_at_every_checkpoint() -> None:
    short = SHORT.but(steps=200)
    run = runs(short, [0], probe=Trail())[0]
    trace = runs(short, [0], probe=SharpnessTrace())[0].records["sharpness"]
    trail = run.records["trail"]
    assert list(trail["steps"]) == [0, 50, 100, 150]
    np.testing.assert_array_equal(trail["sharpness"], trace["sharpness"])
    np.testing.assert_array_equal(trail["input_weights"][0], run.snapshots["start"].input_weights)
    np.testing.assert_array_equal(trail["outputs"][0], outputs(run, "start"))
    objective, params = restored(run, "start")
    gradient = objective.gradient(params)[1]
    image = curvature(objective, params).product(gradient[:, None])[0, 0]
    expected = float((gradient[0] * image).sum() / gradient[0].square().sum())
    assert trail["gradient_curvature"][0] == pytest.approx(expected)
