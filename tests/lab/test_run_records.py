"""Tensors become runs: divergence has its step, and no array holds a NaN."""

import numpy as np
import pytest
import torch

from spikecheck.lab.run_records import checkpoints_of, numbers
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.training.loop import Trajectory
from tests.lab.probed import SHORT, restored, runs


def test_divergence_is_recorded_with_its_step_and_leaves_no_nan() -> None:
    wild = SHORT.but(lr=50.0, activation="relu", steps=400)
    diverged = [run for run in runs(wild, range(8)).values() if run.diverged]
    assert diverged
    for run in diverged:
        assert np.isfinite(run.loss).all()
        assert run.ended.step == len(run.loss)


@pytest.mark.parametrize("seeds", [range(3)])
def test_a_run_has_the_states_of_its_training(seeds: range) -> None:
    """Weights in the model's flat order: those of a run that ends one step later go on from there."""
    short, longer = runs(SHORT, seeds), runs(SHORT.but(steps=61), seeds)
    for seed in seeds:
        one, other = short[seed], longer[seed]
        assert (one.start, one.ended.reason, one.ended.step, len(one.loss)) == (0, "completed", 60, 61)
        np.testing.assert_array_equal(one.loss, other.loss[:61])
        assert {name: snapshot.step for name, snapshot in one.snapshots.items()} == {"start": 0, "end": 60}
        np.testing.assert_array_equal(one.snapshots["start"].params, other.snapshots["start"].params)
        goal, params = restored(one, "end")
        np.testing.assert_allclose(float(goal.losses(params)[0]), one.loss[-1])


def test_numbers_are_a_copy_in_double_precision() -> None:
    tensor = torch.tensor([1.0, 0.1], requires_grad=True)
    array = numbers(tensor)
    assert array.dtype == np.dtype(np.float64)
    assert array.tolist() == [1.0, float(np.float32(0.1))]
    array[0] = 9.0
    assert tensor[0] == 1.0


def trajectory(params: list[list[float]]) -> Trajectory:
    """Two members' states at steps 0, 50 and 100; only the first member's numbers are given."""
    states = tuple(
        Ensemble(
            params=torch.tensor([row, [0.0, 0.0]], dtype=torch.float64),
            slots={"momentum": torch.tensor([row, [0.0, 0.0]], dtype=torch.float64) * 2},
            done=torch.tensor([50 * place] * 2),
            lr=torch.ones(2, dtype=torch.float64),
            alive=torch.ones(2, dtype=torch.bool),
        )
        for place, row in enumerate(params)
    )
    return Trajectory(torch.zeros(101, 2, dtype=torch.float64), states, states[-1])


def test_checkpoints_end_where_a_state_is_not_finite() -> None:
    kept, whole = checkpoints_of(trajectory([[1.0, 2.0], [3.0, 4.0], [float("inf"), 0.0]]), 2)
    assert kept.steps.tolist() == [0, 50]
    assert kept.params.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert kept.slots["momentum"].tolist() == [[2.0, 4.0], [6.0, 8.0]]
    assert whole.steps.tolist() == [0, 50, 100]
