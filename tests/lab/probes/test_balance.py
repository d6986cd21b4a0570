"""Self-stabilisation at the edge, against states measured from nothing."""

from typing import Any

import numpy as np
import pytest
import torch

from spikecheck.core.errors import SettingError
from spikecheck.core.intervention import Continue, Hold, Inject
from spikecheck.core.probe import Balance
from spikecheck.core.recipe import Recipe
from spikecheck.optimizers.rules import rule_of
from spikecheck.training.balance import BalanceObserver
from spikecheck.training.gradients import full_batch
from spikecheck.training.loop import begin
from tests.lab.probed import SHORT, SPIKING, restored, runs

BALANCED = {"steps", "sharpness", "residual", "displacement", "sharpening", "steepness"}


@pytest.mark.parametrize("changes", [{}, {"batch": 5}, {"optimizer": "adam", "lr": 0.02}])
def test_the_balance_of_a_run_is_that_of_its_states(changes: dict[str, Any]) -> None:
    """Every look is of the full batch, whatever is trained by; that at the start against one from nothing."""
    setting = SHORT.but(**changes)
    whole = runs(setting, range(3), probe=Balance(every=4))
    for seed, run in whole.items():
        record = run.records["balance"]
        shapes = {name: array.shape for name, array in record.items()}
        assert shapes == dict.fromkeys(BALANCED, (15,)) | {"residual": (15, 1)}
        assert record["steps"].tolist() == list(range(0, 60, 4))
        goal, params = restored(run, "start")
        watch = BalanceObserver(goal, 1)
        rule = rule_of(setting)
        watch.over(full_batch(goal))(begin(goal, rule, params, torch.tensor([setting.lr])))
        first = watch.seen()
        for name in BALANCED - {"steps", "residual"}:
            assert record[name][0] == pytest.approx(float(getattr(first, name)), rel=1e-4)
        np.testing.assert_array_equal(run.loss, runs(setting, [seed])[seed].loss)


def test_a_balance_may_begin_later() -> None:
    whole = runs(SHORT.but(steps=200), [1], probe=Balance(every=10))[1].records["balance"]
    late = runs(SHORT.but(steps=200), [1], probe=Balance(every=10, since=70))[1].records["balance"]
    assert late["steps"].tolist() == list(range(70, 200, 10))
    np.testing.assert_allclose(late["sharpness"], whole["sharpness"][7:], rtol=1e-5)
    np.testing.assert_allclose(np.abs(late["displacement"]), np.abs(whole["displacement"][7:]), rtol=1e-2, atol=1e-6)


def test_a_balances_companions_change_no_bit() -> None:
    together = runs(SPIKING.but(steps=300), range(5), probe=Balance(since=100))
    alone = runs(SPIKING.but(steps=300), [4], probe=Balance(since=100))[4]
    for name, array in alone.records["balance"].items():
        np.testing.assert_array_equal(array, together[4].records["balance"][name])


def test_across_the_valley_a_fork_oscillates_until_it_is_annealed_and_a_held_one_does_not() -> None:
    arms = {
        name: runs(SPIKING.but(intervention=kind(horizon=200, anneal=100)), range(6), probe=Balance(since=100))
        for name, kind in (("spiking", Continue), ("held", Hold))
    }
    assert arms["spiking"]
    for seed, run in arms["spiking"].items():
        record, still = run.records["balance"], arms["held"][seed].records["balance"]
        assert record["steps"].tolist() == list(range(run.start + 100, run.start + 1_200, 5))
        own = record["steps"] < run.start + 200
        width = np.abs(record["displacement"][own]).max()
        assert np.abs(still["displacement"][own]).max() < 0.1 * width
        assert np.abs(record["displacement"][-1]) < 0.01 * width
        assert (record["steepness"] > 0).all()


def test_a_balance_that_would_begin_after_the_end_is_refused() -> None:
    with pytest.raises(SettingError, match=r"Balance\(since=60\): only 60 steps are trained; use a smaller since"):
        Recipe(setting=SHORT, seed=0, probe=Balance(since=60))
    fork = SHORT.but(intervention=Continue(horizon=10, anneal=2))
    assert Recipe(setting=fork, seed=0, probe=Balance(since=29)).probe == Balance(since=29)
    with pytest.raises(SettingError, match=r"only 30 steps are trained"):
        Recipe(setting=fork, seed=0, probe=Balance(since=30))


def test_a_diverging_forks_balance_ends_with_its_numbers() -> None:
    shot = SHORT.but(steps=200, intervention=Inject(at="end", rank=1, rise=1e30, horizon=300))
    found = runs(shot, range(2), probe=Balance(every=1))
    assert len(found) == 2
    for run in found.values():
        record = run.records["balance"]
        assert run.diverged
        assert len(record["steps"]) <= run.ended.step - run.start
        assert all(np.isfinite(array).all() for array in record.values())
