"""What forks do to the state that they start from, against brute force."""

import numpy as np
import pytest
import torch

from spikecheck.core.intervention import Continue, Exchange, Inject, Jitter
from spikecheck.core.probe import Directions
from spikecheck.objective.objective import build_objective
from tests.lab.probed import SHORT, SPIKING, outputs, runs


def test_an_injection_starts_at_the_loss_asked_for() -> None:
    onset = runs(SPIKING.but(intervention=Continue(at="onset", horizon=3)), range(8))
    for rank in (1, 4):
        there = runs(SPIKING.but(intervention=Inject(at="onset", rank=rank, rise=7.0, horizon=3)), range(8))
        assert there
        for seed, run in there.items():
            assert run.loss[0] == pytest.approx(7 * onset[seed].loss[0], rel=1e-9)


def test_a_jittered_twin_starts_as_its_parent_and_goes_its_own_way() -> None:
    steady = runs(SPIKING.but(intervention=Continue(horizon=20)), range(8))
    shaken = runs(SPIKING.but(intervention=Jitter(noise=1e-3, horizon=20)), range(8))
    assert shaken
    for seed, run in shaken.items():
        assert run.loss[0] == steady[seed].loss[0]
        assert 0 < np.abs(run.snapshots["end"].params - steady[seed].snapshots["end"].params).max() < 0.5


def test_an_exchange_takes_the_other_runs_place_along_the_first_eigendirection() -> None:
    short = SHORT.but(steps=120)
    other = runs(short.but(init_scale=2.0), range(3))
    own = runs(short, range(3), probe=Directions(at="end", pairs=1))
    swap = Exchange(other=(("init_scale", 2.0),))
    exchanged = runs(short.but(intervention=swap), range(3), probe=Directions(at="end", pairs=1))
    assert len(exchanged) == 3
    for seed, run in exchanged.items():
        before, after, theirs = (r.snapshots["end"].params for r in (own[seed], run, other[seed]))
        goal = build_objective([short])
        hessian = torch.autograd.functional.hessian(lambda at, g=goal: g.losses(at[None])[0], torch.from_numpy(before))
        first = torch.linalg.eigh(hessian).eigenvectors[:, -1].numpy()
        np.testing.assert_allclose(after @ first, theirs @ first, atol=1e-8)
        np.testing.assert_allclose(after - first * (after @ first), before - first * (before @ first), atol=1e-8)
        assert len(run.loss) == 1
        np.testing.assert_array_equal(run.records["directions"]["outputs"], outputs(run, "end"))


def test_where_the_other_run_diverges_nothing_is_exchanged() -> None:
    swap = Exchange(other=(("lr", 1e6),))
    assert runs(SHORT.but(intervention=swap), range(2)) == {}
