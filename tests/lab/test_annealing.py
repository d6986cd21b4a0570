"""Forks that go on at a lower rate until what oscillates has died out."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch

from spikecheck.core.errors import SettingError
from spikecheck.core.intervention import (
    Continue,
    Exchange,
    Fork,
    FreezeOutside,
    Hold,
    Inject,
    Jitter,
    LowerRate,
    annealing_steps,
    own_steps,
    steps_of,
)
from spikecheck.core.probe import Anatomy, Directions, Probe, Trail
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Run
from spikecheck.core.setting import Setting
from spikecheck.lab.batching import filled_size, member_steps
from spikecheck.lab.laboratory import Laboratory
from spikecheck.lab.run_codec import decode, encode
from spikecheck.objective.objective import build_objective

SHORT = Setting(width=7, points=9, steps=60)
SWAP = (("init_scale", 2.0),)


def runs(setting: Setting, seeds: Iterable[int], probe: Probe | None = None) -> dict[int, Run]:
    found = Laboratory().runs([Recipe(setting=setting, seed=seed, probe=probe) for seed in seeds])
    return {recipe.seed: run for recipe, run in found.items()}


def fork(kind: type[Fork], **changes: Any) -> Setting:
    return SHORT.but(intervention=kind(at="end", **changes))


def test_the_steps_are_the_forks_own_and_the_annealings() -> None:
    calm = LowerRate(factor=0.25, horizon=100, anneal=30, anneal_factor=0.2)
    assert (own_steps(calm), annealing_steps(calm), steps_of(calm)) == (400, 150, 550)
    assert steps_of(Continue(horizon=100, anneal=30)) == 400
    assert steps_of(Continue(horizon=100)) == 100
    recipe = Recipe(setting=Setting(intervention=calm), seed=0)
    assert member_steps([recipe]) == filled_size([recipe]) * 550


def test_a_fork_without_one_is_identified_as_before() -> None:
    text = '"intervention":{"at":"end","definition":{"factor":3.0,"lead":80,"settle":20},"horizon":5,"kind":"continue"}'
    assert text in fork(Continue, horizon=5).canonical()
    assert '"anneal":3' in fork(Continue, horizon=5, anneal=3).canonical()
    setting = fork(Hold, horizon=5, anneal=3, anneal_factor=0.5)
    assert Setting.model_validate_json(setting.canonical()) == setting


@pytest.mark.parametrize("changes", [{"anneal": -1}, {"anneal_factor": 0.0}, {"anneal_factor": 1.5}])
def test_what_is_out_of_range_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(SettingError, match=f"{min(changes)}="):
        Continue(horizon=5, **changes)


def test_it_is_said_in_words_after_what_the_fork_does() -> None:
    says = Hold(horizon=5, anneal=3_000).says()
    assert says.endswith("once it is there, then annealed: 3,000 steps of the parent's at 0.1 x its learning rate")
    assert "anneal" not in Hold(horizon=5).says()


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (Continue, {}),
        (LowerRate, {"factor": 0.5}),
        (Hold, {}),
        (Jitter, {"noise": 1e-3}),
        (FreezeOutside, {}),
        (Inject, {"rank": 1, "rise": 2.0}),
        (Exchange, {"other": SWAP}),
    ],
)
def test_after_its_own_steps_it_is_plain_descent_at_a_fraction_of_the_parents_rate(
    kind: type[Fork], changes: dict[str, Any]
) -> None:
    """Of every intervention: up to there it is the fork without annealing, to the bit; and its loss is in the record."""
    before = runs(fork(kind, horizon=20, **changes), range(3))
    after = runs(fork(kind, horizon=20, anneal=3, **changes), range(3))
    assert len(after) == 3
    for seed, run in after.items():
        own = len(before[seed].loss) - 1
        assert own == own_steps(kind(horizon=20, **changes))
        np.testing.assert_array_equal(run.loss[:own], before[seed].loss[:-1])
        np.testing.assert_array_equal(run.snapshots["start"].params, before[seed].snapshots["start"].params)
        assert len(run.loss) == own + 30 + 1
        assert (run.ended.reason, run.ended.step) == ("completed", 60 + own + 30)
        goal, params = build_objective([SHORT]), torch.from_numpy(before[seed].snapshots["end"].params.copy())[None]
        for step in range(30):
            loss, gradient = goal.gradient(params)
            assert run.loss[own + step] == pytest.approx(float(loss), rel=1e-9)
            params = params - 0.1 * SHORT.lr * gradient
        np.testing.assert_allclose(run.snapshots["end"].params, params[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("changes", [{"batch": 3}, {"gradient_noise": 0.05}, {"clip": 1e-3}])
def test_neither_noise_nor_batches_nor_clipping_reach_it(changes: dict[str, Any]) -> None:
    setting = SHORT.but(intervention=Continue(at="end", horizon=1, anneal=2, anneal_factor=0.5), **changes)
    for run in runs(setting, range(2)).values():
        before = runs(setting.but(intervention=Continue(at="end", horizon=1)), [run.seed])[run.seed]
        goal, params = build_objective([setting]), torch.from_numpy(before.snapshots["end"].params.copy())[None]
        for _ in range(4):
            params = params - 0.5 * setting.lr * goal.gradient(params)[1]
        np.testing.assert_allclose(run.snapshots["end"].params, params[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", ["heavy-ball", "adam", "torch.optim:SGD"])
def test_a_rule_keeps_what_it_remembers_and_takes_the_lower_rate(optimizer: str) -> None:
    """At the parent's own rate nothing changes."""
    setting = SHORT.but(optimizer=optimizer, lr=0.01)
    on = runs(setting.but(intervention=Continue(at="end", horizon=30)), range(2))
    same = runs(setting.but(intervention=Continue(at="end", horizon=10, anneal=20, anneal_factor=1.0)), range(2))
    slower = runs(setting.but(intervention=Continue(at="end", horizon=10, anneal=2)), range(2))
    for seed, run in same.items():
        np.testing.assert_array_equal(run.loss, on[seed].loss)
        np.testing.assert_array_equal(run.snapshots["end"].params, on[seed].snapshots["end"].params)
        moved = np.abs(np.diff(slower[seed].loss))
        assert moved[11:].max() < 0.5 * moved[:10].max()


def test_a_trail_covers_both_parts() -> None:
    (run,) = runs(fork(Continue, horizon=120, anneal=8), [1], probe=Trail()).values()
    trail = run.records["trail"]
    assert trail["steps"].tolist() == [60, 110, 160, 180, 230]
    assert trail["outputs"].shape == (5, 256, 1)
    assert trail["sharpness"].shape == (5, 1)


def test_an_autopsy_is_refused_with_the_remedy() -> None:
    with pytest.raises(SettingError, match=r"^anneal=3: probe Anatomy .*; use anneal=0, or probe Trail or Balance$"):
        Recipe(setting=fork(Continue, horizon=5, anneal=3), seed=0, probe=Anatomy())
    assert Recipe(setting=fork(Continue, horizon=5), seed=0, probe=Anatomy()).probe == Anatomy()


def test_one_looks_at_its_end_after_the_annealing() -> None:
    setting = fork(Hold, horizon=10, anneal=3)
    (run,) = runs(setting, [2], probe=Directions(pairs=1)).values()
    goal, params = build_objective([SHORT]), torch.from_numpy(run.snapshots["end"].params.copy())[None]
    np.testing.assert_array_equal(run.records["directions"]["outputs"], goal.test_outputs(params)[0])
    assert run.snapshots["end"].step == 60 + 10 + 30


def test_companions_change_no_bit_and_what_is_stored_comes_back() -> None:
    setting = fork(Hold, horizon=20, anneal=3)
    together, alone = runs(setting, range(5)), runs(setting, [4])[4]
    np.testing.assert_array_equal(alone.loss, together[4].loss)
    back, _ = decode(encode(alone))
    assert back.setting == setting
    np.testing.assert_array_equal(back.snapshots["end"].params, alone.snapshots["end"].params)


def test_one_that_diverges_before_stays_where_it_was() -> None:
    shot = fork(Inject, rank=1, rise=1e30, horizon=300, anneal=5)
    found = runs(shot, range(2))
    assert len(found) == 2
    for run in found.values():
        assert run.diverged
        assert run.ended.step < 60 + 300
