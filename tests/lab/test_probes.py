"""What the probes record, against brute force."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from spikecheck.core.errors import SettingError
from spikecheck.core.intervention import Continue, Exchange, Hold, Inject, Jitter
from spikecheck.core.probe import Anatomy, Balance, Directions, Finish, Probe, SharpnessTrace, Stability, Trail
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Array, Run
from spikecheck.core.setting import Setting
from spikecheck.curvature.hessian import curvature
from spikecheck.gate.metrics import early_edge
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.store import Store
from spikecheck.objective.objective import Objective, build_objective, numbers_of
from spikecheck.optimizers.rules import rule_of
from spikecheck.training.balance import BalanceObserver
from spikecheck.training.dissection import random_directions
from spikecheck.training.gradients import full_batch
from spikecheck.training.loop import begin, train

SPIKING = Setting(steps=700)
SHORT = Setting(width=7, points=9, steps=60)


def runs(setting: Setting, seeds: Iterable[int], probe: Probe | None = None) -> dict[int, Run]:
    found = Laboratory().runs([Recipe(setting=setting, seed=seed, probe=probe) for seed in seeds])
    return {recipe.seed: run for recipe, run in found.items()}


def restored(run: Run, landmark: str) -> tuple[Objective, Tensor]:
    return build_objective([run.setting]), torch.from_numpy(run.snapshots[landmark].params.copy())[None]


def outputs(run: Run, landmark: str) -> Array:
    goal, params = restored(run, landmark)
    return goal.test_outputs(params)[0].numpy()


def test_a_trail_sees_the_run_at_every_checkpoint() -> None:
    short = SHORT.but(steps=200)
    run = runs(short, [0], probe=Trail())[0]
    trace = runs(short, [0], probe=SharpnessTrace())[0].records["sharpness"]
    trail = run.records["trail"]
    assert list(trail["steps"]) == [0, 50, 100, 150]
    np.testing.assert_array_equal(trail["sharpness"], trace["sharpness"])
    np.testing.assert_array_equal(trail["input_weights"][0], run.snapshots["start"].input_weights)
    np.testing.assert_array_equal(trail["outputs"][0], outputs(run, "start"))
    goal, params = restored(run, "start")
    gradient = goal.gradient(params)[1]
    image = curvature(goal, params).product(gradient[:, None])[0, 0]
    expected = float((gradient[0] * image).sum() / gradient[0].square().sum())
    assert trail["gradient_curvature"][0] == pytest.approx(expected)


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


def test_no_direction_of_the_parameters_is_likelier_than_another() -> None:
    drawn = random_directions(range(200), 20, torch.zeros(200, 30, dtype=torch.float64))
    np.testing.assert_allclose(drawn.square().mean((0, 1)), np.full(30, 1 / 30), rtol=0.1)
    assert float(drawn.mean((0, 1)).abs().max()) < 4 / 30**0.5 / 4_000**0.5


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


def test_mini_batches_and_noise_reach_the_training() -> None:
    plain = runs(SHORT, [1])[1].loss
    for changes in ({"batch": 5}, {"gradient_noise": 0.01}):
        noisy = runs(SHORT.but(**changes), [1])[1].loss
        assert noisy[0] == pytest.approx(plain[0], rel=1e-12)
        assert not np.array_equal(noisy, plain)


def test_the_multiplier_across_the_valley_is_that_of_the_hessian() -> None:
    """For gradient descent lr lambda_max - 1, at every landmark of the first spike."""
    seen = runs(SPIKING, range(8), probe=Stability())
    assert seen
    for seed, run in seen.items():
        spike = run.spikes[0]
        marked = runs(SPIKING, [seed], probe=Anatomy())[seed]
        for landmark in ("onset", "peak"):
            goal, there = restored(marked, landmark)
            hessian = torch.autograd.functional.hessian(lambda at, g=goal: g.losses(at[None])[0], there[0])
            expected = SPIKING.lr * float(torch.linalg.eigvalsh(hessian)[-1]) - 1
            assert run.records["stability"][landmark][0] == pytest.approx(expected, rel=1e-9)
        assert ("recovery" in run.records["stability"]) == (spike.recovery is not None)


def test_how_near_the_threshold_a_training_began() -> None:
    """For gradient descent lr lambda_max - 1 after so many updates; nothing where it ends before."""
    setting = Setting(width=6, points=12, steps=60)
    for seed, run in runs(setting, range(2), probe=Finish(early=50, period=1)).items():
        goal = build_objective([setting])
        there = train(
            goal,
            rule_of(setting),
            begin(goal, rule_of(setting), goal.initial([seed]), torch.tensor([setting.lr])),
            torch.tensor([50]),
            lambda made: None,
        ).end.params
        hessian = torch.autograd.functional.hessian(lambda at, g=goal: g.losses(at[None])[0], there[0])
        expected = setting.lr * float(torch.linalg.eigvalsh(hessian)[-1]) - 1
        assert run.records["finish"]["early"][0] == pytest.approx(expected, rel=1e-6)
        assert early_edge(run) == pytest.approx(np.log2((1 + expected) / 2), rel=1e-6)
    assert all("early" not in run.records["finish"] for run in runs(setting, [0], probe=Finish(early=61)).values())


@pytest.mark.parametrize("optimizer", ["adam", "torch.optim:Adam"])
def test_how_a_training_ended(optimizer: str) -> None:
    """The same figures for a rule that is known and for one that is only named."""
    setting = Setting(width=6, points=12, optimizer=optimizer, lr=0.02, steps=400)
    found = runs(setting, range(2), probe=Finish(looks=2))
    for run in found.values():
        record = run.records["finish"]
        assert record["steps"].tolist() == [300.0, 350.0]
        assert (record["late"] >= -1).all()
        residual = np.square(outputs(run, "end") - numbers_of(setting).y_test).mean()
        assert record["test_loss"][0] == pytest.approx(residual, rel=1e-9)
    known = runs(setting.but(optimizer="adam"), range(2), probe=Finish(looks=2))
    for seed, run in found.items():
        ours, theirs = run.records["finish"]["late"], known[seed].records["finish"]["late"]
        np.testing.assert_allclose(ours, theirs, rtol=1e-3)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(("ours", "torchs", "lr"), [("gd", "torch.optim:SGD", 0.1), ("adam", "torch.optim:Adam", 0.01)])
def test_both_sides_of_a_gate_are_measured_alike(ours: str, torchs: str, lr: float, activation: str) -> None:
    """A built-in rule and torch's of the same name train alike, so they have the same edges: with kinks in the loss too."""
    setting = Setting(problem="mnist1d", points=100, steps=300, activation=activation, lr=lr)
    seeds = range(2, 6)
    known, named = (runs(setting.but(optimizer=path), seeds, probe=Finish()) for path in (ours, torchs))
    for seed in seeds:
        one, other = known[seed].records["finish"], named[seed].records["finish"]
        np.testing.assert_allclose(one["early"], other["early"], atol=1e-2)  # a fifth of the margin
        np.testing.assert_allclose(one["late"], other["late"], atol=1e-2)
        assert np.abs(one["late"]).max() < 2  # a kink that is crossed by a difference once gave 15


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


def test_a_diverged_training_has_no_end_to_look_at() -> None:
    assert runs(Setting(lr=50.0, steps=100), range(2), probe=Finish()) == {}


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


def test_a_stored_trainings_end_is_looked_at_without_a_warning(tmp_path: Path) -> None:
    """What the store gives cannot be written to, which torch warns of."""
    trained = Recipe(setting=Setting(width=4, points=6, steps=20), seed=0)
    Laboratory(Store(tmp_path), "cpu").runs([trained])
    look = Recipe(setting=trained.setting, seed=0, probe=Directions(at="end", pairs=1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Laboratory(Store(tmp_path), "cpu").runs([look])
    assert found[look].records["directions"]["values"].shape == (1,)
