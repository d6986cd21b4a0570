"""Stability thresholds against the spectrum of the update's own linear map, and against running it on a quadratic."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor

from spikecheck.core.setting import OPTIMIZERS, Setting
from spikecheck.optimizers.rules import BuiltIn, UpdateRule, rule_of
from spikecheck.optimizers.thresholds import threshold_of

RATES = st.floats(1e-3, 1.0)
MOMENTA = st.floats(0.0, 0.99)
DECAYS = st.sampled_from([0.0, 0.01, 0.3])
WITHOUT_PRECONDITIONER = ["gd", "heavy-ball", "nesterov"]
PRECONDITIONED = ["rmsprop", "adam", "adamw"]

# P is the preconditioner, the root of the second moment. With beta2 this close to 1 an update does not change it, and after
# this many updates its bias correction is 1.
STILL, LATE = 1 - 1e-15, 10**17
FROZEN_P = 2.0


def rule_with(optimizer: str, momentum: float, weight_decay: float, lr: float) -> BuiltIn:
    numbers = {"momentum": momentum, "beta1": momentum, "beta2": STILL, "eps": 0.0, "weight_decay": weight_decay}
    own = {name: value for name, value in numbers.items() if name in OPTIMIZERS[optimizer]}
    return rule_of(Setting(optimizer=optimizer, lr=lr, **own))


def radius_by_probing(rule: UpdateRule, curvature: float, lr: float) -> float:
    """Spectral radius of the map of (theta, slots) on curvature theta^2 / 2. Each member starts at a basis vector."""
    state = torch.eye(1 + len(rule.slots), dtype=torch.float64)
    params, slots = state[:, :1], {name: state[:, i + 1 : i + 2] for i, name in enumerate(rule.slots)}
    rates = torch.full_like(params, lr)
    after, kept = rule.step(params, curvature * params, slots, rates, torch.zeros_like(params, dtype=torch.int64))
    image = torch.cat([after, *(kept[name] for name in rule.slots)], dim=1)
    return float(np.abs(np.linalg.eigvals(image.T.numpy())).max())


def radius_with_still_p(optimizer: str, beta1: float, weight_decay: float, curvature: float, lr: float) -> float:
    """Spectral radius of Adam's map of (theta, m) at P = 1, as a matrix written by hand; RMSprop is beta1 = 0."""
    shrink = lr * weight_decay if optimizer == "adamw" else 0.0
    pull = (1 - beta1) * curvature
    matrix = np.array([[1 - shrink - lr * pull, -lr * beta1], [pull, beta1]])
    return float(np.abs(np.linalg.eigvals(matrix)).max())


@pytest.mark.parametrize("optimizer", WITHOUT_PRECONDITIONER)
@given(lr=RATES, momentum=MOMENTA, weight_decay=DECAYS)
def test_the_map_of_the_rule_itself_loses_stability_at_the_threshold(
    optimizer: str, lr: float, momentum: float, weight_decay: float
) -> None:
    rule = rule_with(optimizer, momentum, weight_decay, lr)
    threshold = rule.threshold(lr)
    assert radius_by_probing(rule, threshold * (1 - 1e-5), lr) < 1
    assert radius_by_probing(rule, threshold * (1 + 1e-5), lr) > 1


@pytest.mark.parametrize("optimizer", PRECONDITIONED)
@given(lr=RATES, beta1=MOMENTA, weight_decay=DECAYS)
def test_the_map_with_p_held_still_loses_stability_at_the_threshold(
    optimizer: str, lr: float, beta1: float, weight_decay: float
) -> None:
    threshold = rule_with(optimizer, beta1, weight_decay, lr).threshold(lr)
    momentum = 0.0 if optimizer == "rmsprop" else beta1
    assert radius_with_still_p(optimizer, momentum, weight_decay, threshold * (1 - 1e-5), lr) < 1
    assert radius_with_still_p(optimizer, momentum, weight_decay, threshold * (1 + 1e-5), lr) > 1


def sizes(rule: UpdateRule, curvature: Tensor, lr: float, steps: int = 150) -> Tensor:
    """|theta| [steps, members] after every update on curvature theta^2 / 2, from theta = 1e-3 and with P = FROZEN_P."""
    params = torch.full_like(curvature, 1e-3)
    slots = rule.begin(params)
    if "squares" in slots:
        slots["squares"] = torch.full_like(params, FROZEN_P**2)
    rates, done = torch.full_like(params, lr), torch.full_like(params, LATE, dtype=torch.int64)
    passed = []
    for _ in range(steps):
        params, slots = rule.step(params, curvature * params, slots, rates, done)
        passed.append(params.abs())
    return torch.stack(passed)[:, :, 0]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("lr", "momentum"), [(0.05, 0.5), (0.01, 0.9)])
def test_running_the_rule_decays_below_and_grows_above_the_threshold(
    optimizer: str, lr: float, momentum: float
) -> None:
    weight_decay = 0.01 if optimizer not in ("rmsprop", "adam") else 0.0
    rule = rule_with(optimizer, momentum, weight_decay, lr)
    scale = FROZEN_P if optimizer in PRECONDITIONED else 1.0
    curvature = scale * rule.threshold(lr) * torch.tensor([[0.97], [1.03]], dtype=torch.float64)
    below, above = sizes(rule, curvature, lr).T
    assert below[-1] < 1e-5
    assert above.max() > 1e-1  # not the last: once theta is many orders of magnitude larger, even this P changes


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
@given(lr=st.floats(1e-3, 0.1), beta1=st.floats(0.0, 0.95))
def test_added_weight_decay_counts_as_curvature_under_p(optimizer: str, lr: float, beta1: float) -> None:
    """Where decay is added to the gradient, the threshold applies to P^-1/2 (H + weight_decay I) P^-1/2, not to H alone."""
    plain, decayed = (rule_with(optimizer, beta1, decay, lr) for decay in (0.0, 0.3))
    assert plain.threshold(lr) == decayed.threshold(lr)
    params, grads = torch.ones(2, 1, dtype=torch.float64), torch.full((2, 1), 0.7, dtype=torch.float64)
    slots = {name: torch.full_like(params, 4.0) for name in plain.slots}
    rates, done = torch.full_like(params, lr), torch.full_like(params, LATE, dtype=torch.int64)
    by_decay, _ = decayed.step(params, grads, slots, rates, done)
    by_curvature, _ = plain.step(params, grads + 0.3 * params, slots, rates, done)
    assert torch.equal(by_decay, by_curvature)


@given(lr=RATES, beta1=MOMENTA)
def test_decoupled_decay_lowers_adamws_threshold_in_proportion_to_the_decay(lr: float, beta1: float) -> None:
    assume(lr < 1)
    plain, decayed = (rule_with("adamw", beta1, decay, lr).threshold(lr) for decay in (0.0, 0.3))
    assert plain - decayed == pytest.approx(0.3 * (1 + beta1) / (1 - beta1))
    assert plain == pytest.approx((2 + 2 * beta1) / ((1 - beta1) * lr))


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
@given(lr=RATES, momentum=MOMENTA, weight_decay=DECAYS)
def test_a_settings_threshold_is_that_of_its_rule(
    optimizer: str, lr: float, momentum: float, weight_decay: float
) -> None:
    own = {"momentum", "beta1"} & OPTIMIZERS[optimizer].keys()
    setting = Setting(optimizer=optimizer, lr=lr, weight_decay=weight_decay, **dict.fromkeys(own, momentum))
    assert threshold_of(setting) == rule_of(setting).threshold(lr)
