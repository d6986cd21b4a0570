"""Mini-batches and noise: what is drawn is a member's own, and the same whenever it is asked for."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from spikecheck.core.setting import Setting
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import rule_of
from spikecheck.training.gradients import Minibatches, followed
from spikecheck.training.loop import begin, train

SMALL = Setting(points=10, width=8, steps=30)


def started(setting: Setting, seeds: list[int]) -> tuple[Objective, Ensemble]:
    goal = build_objective([setting] * len(seeds))
    lr = torch.full((len(seeds),), setting.lr, dtype=torch.float64)
    return goal, begin(goal, rule_of(setting), goal.initial(seeds), lr)


def trained(setting: Setting, seeds: list[int], steps: int, ensemble: Ensemble | None = None) -> Ensemble:
    goal, first = started(setting, seeds)
    ensemble = ensemble or first
    until = ensemble.done + steps
    return train(goal, rule_of(setting), ensemble, until, lambda made: None, gradients=followed(goal, seeds)).end


@given(size=st.integers(1, 12), passes=st.integers(1, 3), seed=st.integers(0, 5))
@hypothesis_settings(deadline=None, max_examples=30)
def test_a_pass_shows_no_point_twice_and_as_many_as_fit(size: int, passes: int, seed: int) -> None:
    goal = build_objective([SMALL.but(batch=size)])
    batches = Minibatches(goal, [seed])
    size = min(size, 10)
    turns = 10 // size
    for first in range(0, passes * turns, turns):
        shown = torch.cat([batches.chosen([first + turn])[0] for turn in range(turns)]).tolist()
        assert len(shown) == len(set(shown)) == turns * size
        assert set(shown) <= set(range(10))


def test_passes_are_shuffled_anew_and_seeds_differently() -> None:
    batches = Minibatches(build_objective([SMALL.but(batch=10)] * 2), [0, 1])
    first, second = batches.chosen([0, 0]), batches.chosen([1, 1])
    assert first.sort(1).values.tolist() == second.sort(1).values.tolist() == [list(range(10))] * 2
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


def test_a_mini_batch_gradient_is_that_of_its_points() -> None:
    goal, ensemble = started(SMALL.but(batch=3), [0, 1, 2])
    losses, slopes = followed(goal, [0, 1, 2])(ensemble)
    torch.testing.assert_close(losses, goal.losses(ensemble.params))
    chosen = Minibatches(goal, [0, 1, 2]).chosen([0, 0, 0])
    for member in range(3):
        params = ensemble.params[member : member + 1].clone().requires_grad_()
        x, y = goal.train.x[:, chosen[member]], goal.train.y[:, chosen[member]]
        (goal.outputs(params, x) - y).square().mean().backward()
        assert params.grad is not None
        torch.testing.assert_close(slopes[member], params.grad[0])


def test_all_points_at_once_are_the_full_batch() -> None:
    goal, ensemble = started(SMALL.but(batch=10), [0, 1])
    torch.testing.assert_close(followed(goal, [0, 1])(ensemble)[1], goal.gradient(ensemble.params)[1])


def test_mini_batches_average_to_the_full_gradient() -> None:
    setting = SMALL.but(batch=2)
    goal, ensemble = started(setting, [7])
    gradients = followed(goal, [7])
    parts = [gradients(replace(ensemble, done=torch.tensor([turn])))[1] for turn in range(5)]
    torch.testing.assert_close(torch.stack(parts).mean(0), goal.gradient(ensemble.params)[1])


def test_noise_has_the_deviation_asked_for_and_mean_zero() -> None:
    goal, ensemble = started(SMALL.but(gradient_noise=0.5), [3])
    exact = goal.gradient(ensemble.params)[1]
    gradients = followed(goal, [3])
    noise = torch.cat([gradients(replace(ensemble, done=torch.tensor([s])))[1] - exact for s in range(400)])
    assert float(noise.std()) == pytest.approx(0.5, rel=0.03)
    assert abs(float(noise.mean())) < 4 * 0.5 / noise.numel() ** 0.5


@pytest.mark.parametrize("changes", [{"batch": 3}, {"gradient_noise": 0.1}, {"batch": 4, "gradient_noise": 0.01}])
def test_going_on_from_a_state_is_the_training_that_was_not_stopped(changes: dict[str, float]) -> None:
    setting = SMALL.but(**changes)
    whole = trained(setting, [0, 1, 2, 3], 130)
    parts = trained(setting, [0, 1, 2, 3], 73, trained(setting, [0, 1, 2, 3], 57))
    assert torch.equal(whole.params, parts.params)


@pytest.mark.parametrize("changes", [{"batch": 3}, {"gradient_noise": 0.1}])
def test_what_is_drawn_does_not_depend_on_companions(changes: dict[str, float]) -> None:
    setting = SMALL.but(**changes)
    first = trained(setting, [5, 6, 7, 8], 40).params
    second = trained(setting, [8, 1, 5, 2], 40).params
    assert torch.equal(first[[0, 3]], second[[2, 0]])
    assert not torch.equal(first[0], first[1])
