"""Sharpness at every step, against that at checkpoints."""

from typing import Any

import numpy as np
import pytest

from spikecheck.core.probe import SharpnessTrace
from spikecheck.core.setting import Setting
from tests.lab.probed import runs


@pytest.mark.parametrize(
    "changes", [{}, {"problem": "mnist1d", "points": 20}, {"optimizer": "adam", "lr": 0.02}, {"batch": 5}, {"depth": 2}]
)
def test_sharpness_at_every_step_is_that_of_its_checkpoints(changes: dict[str, Any]) -> None:
    setting = Setting(width=6, points=12, steps=200).but(**changes)
    sparse = runs(setting, range(2), probe=SharpnessTrace())
    for seed, run in runs(setting, range(2), probe=SharpnessTrace(every_step=True)).items():
        record = run.records["sharpness"]
        assert record["steps"].tolist() == list(range(201))
        at = sparse[seed].records["sharpness"]["steps"].astype(int)
        close = record["residual"][at] < 1e-2
        assert close.mean() > 0.5
        theirs = sparse[seed].records["sharpness"]["sharpness"]
        np.testing.assert_allclose(record["sharpness"][at][close], theirs[close], rtol=2e-3)
        assert record["products"][0] >= 201
