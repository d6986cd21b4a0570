"""Eigendirections seen in the outputs, against dense Hessians and Jacobians."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from spikecheck.core.probe import Anatomy, Directions
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store import Store
from spikecheck.objective.objective import numbers_of
from spikecheck.training.dissection import random_directions
from tests.lab.probed import SHORT, SPIKING, outputs, restored, runs


def test_directions_are_the_eigenvectors_seen_in_the_outputs() -> None:
    run = runs(SHORT.but(steps=100, width=5), [3], probe=Directions(at="end", pairs=3))[3]
    record = run.records["directions"]
    goal, params = restored(run, "end")
    hessian = torch.autograd.functional.hessian(lambda at: goal.losses(at[None])[0], params[0])
    values, vectors = torch.linalg.eigh(hessian)
    np.testing.assert_allclose(record["values"], values.flip(0)[:3], rtol=1e-8)
    jacobian = torch.autograd.functional.jacobian(
        lambda at: goal.outputs(at[None], goal.held_out_points.x)[0, :, 0], params[0]
    )
    for rank in range(3):
        expected = (jacobian @ vectors[:, -1 - rank]).numpy()
        np.testing.assert_allclose(np.abs(record["deviation"][rank, :, 0]), np.abs(expected), atol=1e-6)
    np.testing.assert_array_equal(record["outputs"], outputs(run, "end"))
    residual = torch.from_numpy(record["outputs"][:, 0] - numbers_of(run.setting).y_test[:, 0])
    np.testing.assert_allclose(record["own"][:, 0], jacobian @ (jacobian.T @ residual), rtol=1e-8, atol=1e-10)


def test_random_directions_are_unit_vectors_of_the_seeds_own() -> None:
    """Against the Jacobian; neither companions nor how many more there are change a bit."""
    setting = SHORT.but(steps=20, width=5)
    many = runs(setting, range(3), probe=Directions(pairs=1, random=4))
    alone = runs(setting, [2], probe=Directions(pairs=1, random=2))[2]
    record, goal = many[2].records["directions"], restored(many[2], "end")[0]
    assert record["random_deviation"].shape == (4, 256, 1)
    np.testing.assert_array_equal(record["random_deviation"][:2], alone.records["directions"]["random_deviation"])
    plain = runs(setting, [2], probe=Directions(pairs=1))[2].records["directions"]
    assert "random_deviation" not in plain
    np.testing.assert_array_equal(record["deviation"], plain["deviation"])
    directions = random_directions([2], 4, torch.zeros(1, goal.size, dtype=torch.float64))[0]
    torch.testing.assert_close(directions.square().sum(1), torch.ones(4, dtype=torch.float64))
    params = restored(many[2], "end")[1][0]
    jacobian = torch.autograd.functional.jacobian(
        lambda at: goal.outputs(at[None], goal.held_out_points.x)[0, :, 0], params
    )
    np.testing.assert_allclose(record["random_deviation"][..., 0], directions @ jacobian.T, atol=1e-12)
    assert not np.array_equal(record["random_deviation"], many[1].records["directions"]["random_deviation"])


def test_directions_are_looked_at_where_they_are_asked_for() -> None:
    spiking = {s: r for s, r in runs(SPIKING, range(8)).items() if r.has_spike and not r.diverged}
    at_peak = runs(SPIKING, spiking, probe=Directions(at="peak", pairs=1))
    whole = runs(SPIKING, spiking, probe=Anatomy(outputs=True, pairs=1))
    assert at_peak
    for seed, run in at_peak.items():
        record = whole[seed].records["anatomy"]
        peak = run.spikes[0].peak - int(record["steps"][0])
        np.testing.assert_array_equal(run.records["directions"]["outputs"], record["outputs"][peak])
        assert run.records["directions"]["values"][0] == pytest.approx(record["sharpness"][peak, 0], rel=1e-4)


def test_where_there_is_no_spike_there_is_nothing_to_look_at() -> None:
    calm = SHORT.but(lr=0.001)
    assert runs(calm, range(3), probe=Directions(at="onset")) == {}
    assert len(runs(calm, range(3), probe=Directions(at="end"))) == 3


def test_a_stored_trainings_end_is_looked_at_without_a_warning(tmp_path: Path) -> None:
    """What the store gives cannot be written to, which torch warns of."""
    trained = Recipe(setting=Setting(width=4, points=6, steps=20), seed=0)
    Laboratory(Store(tmp_path), "cpu").runs([trained])
    look = Recipe(setting=trained.setting, seed=0, probe=Directions(at="end", pairs=1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Laboratory(Store(tmp_path), "cpu").runs([look])
    assert found[look].records["directions"]["values"].shape == (1,)
