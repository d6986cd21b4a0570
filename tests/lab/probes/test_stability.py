"""The linearised update's multipliers, against dense Hessians."""

import pytest
import torch

from spikecheck.core.probe import Anatomy, Stability
from tests.lab.probed import SPIKING, restored, runs


def test_the_multiplier_across_the_valley_is_that_of_the_hessian() -> None:
    """For gradient descent lr lambda_max - 1, at every landmark of the first spike."""
    seen = runs(SPIKING, range(8), probe=Stability())
    assert seen
    landmarks = runs(SPIKING, seen, probe=Anatomy())
    for seed, run in seen.items():
        spike, marked = run.spikes[0], landmarks[seed]
        for landmark in ("onset", "peak"):
            goal, there = restored(marked, landmark)
            hessian = torch.autograd.functional.hessian(lambda at, g=goal: g.losses(at[None])[0], there[0])
            expected = SPIKING.lr * float(torch.linalg.eigvalsh(hessian)[-1]) - 1
            assert run.records["stability"][landmark][0] == pytest.approx(expected, rel=1e-9)
        assert ("recovery" in run.records["stability"]) == (spike.recovery is not None)
