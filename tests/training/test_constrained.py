"""The constrained trajectory against closed forms, and on a network that would spike."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from spikecheck.core.errors import SettingError
from spikecheck.core.intervention import Continue, Hold
from spikecheck.core.probe import Anatomy, Trail
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.harness.paper_settings import SETTING_A, SETTING_B
from spikecheck.lab.laboratory import Laboratory
from spikecheck.objective.objective import build_objective
from spikecheck.training.constrained import held, sharpness_gradient

LR = torch.tensor([0.1, 0.1], dtype=torch.float64)
EDGE = 2 / LR


def rows(*values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_the_sharpness_gradient_is_the_third_derivatives() -> None:
    goal = build_objective([Setting(width=3, points=7)] * 2)
    params = goal.initial([1, 2])
    vectors = torch.nn.functional.normalize(goal.initial([3, 4]), dim=1)
    for member in range(2):
        at = params[member].clone().requires_grad_()
        (slope,) = torch.autograd.grad(goal.select([member]).losses(at[None])[0], at, create_graph=True)
        (image,) = torch.autograd.grad(slope @ vectors[member], at, create_graph=True)
        (expected,) = torch.autograd.grad(image @ vectors[member], at)
        found = sharpness_gradient(goal, params, vectors)[member]
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_below_the_ceiling_only_the_motion_across_the_valley_changes() -> None:
    """Along v = e_1 a step goes to the minimum, g/lambda away; everything else is gradient descent's."""
    gradients, vectors, rise = rows([3.0, 1.0, -2.0]), rows([1.0, 0.0, 0.0]), rows([0.0, 0.0, 5.0])
    found = held(gradients, LR[:1], EDGE[:1], torch.tensor([15.0], dtype=torch.float64), vectors, rise)
    torch.testing.assert_close(-LR[0] * found, rows([-3.0 / 15.0, -0.1, 0.2]))


def test_at_the_ceiling_nothing_raises_the_sharpness_and_what_lowers_it_stays() -> None:
    vectors, sharpness = rows([1.0, 0.0, 0.0]).expand(2, -1), torch.full((2,), 20.0, dtype=torch.float64)
    rise = rows([0.0, 0.0, 5.0]).expand(2, -1)
    found = held(rows([0.0, 1.0, -2.0], [0.0, 1.0, 2.0]), LR, EDGE, sharpness, vectors, rise)
    torch.testing.assert_close(found, rows([0.0, 1.0, 0.0], [0.0, 1.0, 2.0]), rtol=0, atol=1e-9)


def test_above_the_ceiling_a_step_comes_back_to_it_by_newtons_rule() -> None:
    found = held(
        rows([0.0, 1.0, 0.0]),
        LR[:1],
        EDGE[:1],
        torch.tensor([21.0], dtype=torch.float64),
        rows([1.0, 0.0, 0.0]),
        rows([0.0, 0.0, 4.0]),
    )
    torch.testing.assert_close(-LR[0] * found, rows([0.0, -0.1, -1.0 / 4.0]))


@given(seed=st.integers(0, 10_000), sharpness=st.floats(10.0, 40.0))
def test_the_predicted_sharpness_after_a_step_is_at_most_the_ceiling(seed: int, sharpness: float) -> None:
    draw = np.random.default_rng(seed)
    gradients, rise = (torch.from_numpy(draw.normal(size=(1, 6))) for _ in range(2))
    vectors = torch.nn.functional.normalize(torch.from_numpy(draw.normal(size=(1, 6))), dim=1)
    step = -LR[0] * held(gradients, LR[:1], EDGE[:1], torch.tensor([sharpness], dtype=torch.float64), vectors, rise)
    assert sharpness + float((rise * step).sum()) <= float(EDGE[0]) + 1e-9


@pytest.mark.parametrize("sharpness", [float("nan"), -1.0, 0.0])
def test_a_member_without_a_sharpness_takes_its_own_gradient(sharpness: float) -> None:
    gradients = rows([0.5, 1.0])
    found = held(gradients, LR[:1], EDGE[:1], torch.tensor([sharpness]).double(), rows([1.0, 0.0]), rows([0.0, 1.0]))
    assert torch.equal(found, gradients)


@pytest.mark.parametrize(
    ("every", "level", "setting"),
    [(1, 1.0, SETTING_A), (5, 1.0, SETTING_A), (20, 1.0, SETTING_A), (5, 0.97, SETTING_A), (10, 1.0, SETTING_B)],
)
def test_the_mean_sharpness_is_the_ceiling_however_seldom_it_is_looked_at(
    every: int, level: float, setting: Setting
) -> None:
    """Regression: the pull-back of one look was applied at each step up to the next, so the twin sank below the edge."""
    arm = setting.but(steps=1_500, intervention=Hold(horizon=160, every=every, level=level))
    runs = Laboratory().runs([Recipe(setting=arm, seed=seed, probe=Anatomy(pairs=1)) for seed in range(6)])
    assert len(runs) > 2
    for run in runs.values():
        product = run.records["anatomy"]["sharpness"][60:, 0] * setting.lr
        assert product.mean() == pytest.approx(2 * level, rel=2e-3)


def test_a_run_that_spikes_is_held_at_the_edge_instead() -> None:
    setting = Setting(steps=900)
    arms = {
        name: setting.but(intervention=kind(at="onset", horizon=600))
        for name, kind in (("spiking", Continue), ("held", Hold))
    }
    asked = {name: [Recipe(setting=arm, seed=seed, probe=Trail()) for seed in range(12)] for name, arm in arms.items()}
    found = Laboratory().runs([recipe for recipes in asked.values() for recipe in recipes])
    pairs = [
        (found[one], found[other]) for one, other in zip(asked["spiking"], asked["held"], strict=True) if one in found
    ]
    assert len(pairs) > 3
    for spiking, held_run in pairs:
        late = held_run.records["trail"]["sharpness"][4:, 0] * setting.lr / 2
        assert late.max() <= 1.05
        assert held_run.loss.max() <= 1.01 * held_run.loss[0]
        assert np.ptp(held_run.loss[-50:]) < np.ptp(spiking.loss[-50:])


def test_only_plain_gradient_descent_is_held() -> None:
    with pytest.raises(SettingError, match="optimizer='adam': sharpness is held for plain gradient descent only"):
        Setting(optimizer="adam", intervention=Hold(horizon=10))
