"""Update rules on quadratics against closed forms, and under changes of unit, sign, order and rotation of the coordinates.

o: the rule commutes with the change, tested here for random starts and rates. Thresholds are in test_thresholds.py,
torch.optim's trajectories in test_rules.py.

| rule | closed form | order | sign | turned | unit of the loss | unit of the parameters | rate |
| --- | --- | --- | --- | --- | --- | --- | --- |
| gd | (1 - lr (h + decay))^t | o | o | o | o | o | o |
| heavy-ball, nesterov | power of a 2x2 matrix | o | o | o | o | o | o |
| rmsprop | constant gradient | o | o | | o, eps too | | o |
| adam | constant gradient: lr g/(abs g + eps) a step | o | o | | o, eps too | | o |
| adamw | the same after a shrinkage by 1 - lr decay | o | o | | o, eps too | | o |
"""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from spikecheck.core.setting import OPTIMIZERS, Setting
from spikecheck.optimizers.rules import Slots, UpdateRule, rule_of

SEEDS = st.integers(0, 2**32 - 1)
RATES = st.floats(1e-3, 0.5)
MOMENTA = st.floats(0.0, 0.95)
DECAYS = st.sampled_from([0.0, 0.05])
LINEAR = ["gd", "heavy-ball", "nesterov"]
PRECONDITIONED = ["rmsprop", "adam", "adamw"]
MEMBERS, NUMBERS, STEPS = 2, 5, 12


def rule_with(optimizer: str, **numbers: float) -> UpdateRule:
    own = {name: value for name, value in numbers.items() if name in OPTIMIZERS[optimizer]}
    return rule_of(Setting(optimizer=optimizer, **own))


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def trained(rule: UpdateRule, start: Tensor, gradients: Any, lr: float, steps: int = STEPS) -> tuple[Tensor, Slots]:
    """Parameters and slots after some updates. `gradients` is a function of the parameters and of the step."""
    params, slots, rates = start, rule.begin(start), torch.full((len(start), 1), lr, dtype=start.dtype)
    for step in range(steps):
        done = torch.full((len(start), 1), step)
        params, slots = rule.step(params, gradients(params, step), slots, rates, done)
    return params, slots


def sequence(seed: int) -> Any:
    """Gradients that do not depend on the parameters, one for each step."""
    every = drawn(seed, STEPS, MEMBERS, NUMBERS)
    return lambda params, step: every[step]


# ---- closed forms ----------------------------------------------------------------------------------------------------


@given(RATES, st.floats(0.1, 30.0), DECAYS, SEEDS)
def test_gradient_descent_is_a_geometric_sequence(lr: float, curvature: float, decay: float, seed: int) -> None:
    start = drawn(seed, MEMBERS, NUMBERS)
    ends, _ = trained(rule_with("gd", weight_decay=decay), start, lambda params, _: curvature * params, lr)
    torch.testing.assert_close(ends, (1.0 - lr * (curvature + decay)) ** STEPS * start, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", ["heavy-ball", "nesterov"])
@given(lr=RATES, curvature=st.floats(0.1, 10.0), momentum=MOMENTA, decay=DECAYS, seed=SEEDS)
def test_momentum_is_the_power_of_a_matrix(
    optimizer: str, lr: float, curvature: float, momentum: float, decay: float, seed: int
) -> None:
    """(theta, v) -> (theta - lr v', v') with v' = momentum v + h theta; Nesterov: theta - lr (h theta + momentum v')."""
    pull = curvature + decay
    along = np.array([pull, momentum])
    motion = np.array([pull, 0.0]) + momentum * along if optimizer == "nesterov" else along
    power = np.linalg.matrix_power(np.array([np.array([1.0, 0.0]) - lr * motion, along]), STEPS)
    start = drawn(seed, MEMBERS, NUMBERS)
    rule = rule_with(optimizer, momentum=momentum, weight_decay=decay)
    ends, slots = trained(rule, start, lambda params, _: curvature * params, lr)
    torch.testing.assert_close(ends, power[0, 0] * start, rtol=1e-8, atol=1e-9 * float(np.abs(power).max()))
    torch.testing.assert_close(
        slots["velocity"], power[1, 0] * start, rtol=1e-8, atol=1e-9 * float(np.abs(power).max())
    )


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
@given(lr=RATES, beta1=MOMENTA, beta2=st.floats(0.0, 0.9999), eps=st.sampled_from([1e-8, 0.1]), seed=SEEDS)
def test_under_a_constant_gradient_all_of_adams_updates_are_equal(
    optimizer: str, lr: float, beta1: float, beta2: float, eps: float, seed: int
) -> None:
    """Both moments are bias-corrected, so every update is lr g/(|g| + eps), also the first."""
    start, gradient = drawn(seed, MEMBERS, NUMBERS), drawn(seed + 1, MEMBERS, NUMBERS)
    rule = rule_with(optimizer, beta1=beta1, beta2=beta2, eps=eps, weight_decay=0.0)
    ends, _ = trained(rule, start, lambda *_: gradient, lr)
    torch.testing.assert_close(ends, start - STEPS * lr * gradient / (gradient.abs() + eps), rtol=1e-7, atol=1e-9)


@given(RATES, st.floats(0.0, 0.9999), SEEDS)
def test_under_a_constant_gradient_rmsprop_slows_down_as_its_average_fills(lr: float, beta2: float, seed: int) -> None:
    start, gradient = drawn(seed, MEMBERS, NUMBERS), drawn(seed + 1, MEMBERS, NUMBERS)
    ends, _ = trained(rule_with("rmsprop", beta2=beta2, eps=0.01), start, lambda *_: gradient, lr)
    filled = [np.sqrt(1.0 - beta2 ** (step + 1)) for step in range(STEPS)]
    moved = sum(lr * gradient / (gradient.abs() * float(share) + 0.01) for share in filled)
    torch.testing.assert_close(ends, start - moved, rtol=1e-7, atol=1e-9)


@given(RATES, SEEDS, st.floats(0.001, 0.5))
def test_decoupled_decay_shrinks_what_the_gradient_does_not_move(lr: float, seed: int, decay: float) -> None:
    start = drawn(seed, MEMBERS, NUMBERS)
    ends, _ = trained(rule_with("adamw", weight_decay=decay), start, lambda params, _: torch.zeros_like(params), lr)
    torch.testing.assert_close(ends, start * (1.0 - lr * decay) ** STEPS, rtol=1e-9, atol=0)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@given(lr=RATES, seed=SEEDS)
def test_where_the_gradient_is_zero_nothing_moves(optimizer: str, lr: float, seed: int) -> None:
    start = drawn(seed, MEMBERS, NUMBERS)
    rule = rule_with(optimizer, weight_decay=0.0)
    assert torch.equal(trained(rule, start, lambda params, _: torch.zeros_like(params), lr)[0], start)


# ---- changes of the coordinates --------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@given(lr=RATES, momentum=MOMENTA, decay=DECAYS, seed=SEEDS)
def test_coordinates_in_another_order_or_of_another_sign_move_alike(
    optimizer: str, lr: float, momentum: float, decay: float, seed: int
) -> None:
    rule = rule_with(optimizer, momentum=momentum, beta1=momentum, weight_decay=decay)
    start, gradients = drawn(seed, MEMBERS, NUMBERS), sequence(seed + 1)
    ends, slots = trained(rule, start, gradients, lr)
    order, signs = torch.randperm(NUMBERS), torch.randint(2, (NUMBERS,)) * 2.0 - 1.0
    moved, kept = trained(rule, start[:, order], lambda params, step: gradients(params, step)[:, order], lr)
    assert torch.equal(moved, ends[:, order])
    assert all(torch.equal(kept[name], slots[name][:, order]) for name in rule.slots)
    flipped, _ = trained(rule, signs * start, lambda params, step: signs * gradients(params, step), lr)
    assert torch.equal(flipped, signs * ends)


@pytest.mark.parametrize("optimizer", LINEAR)
@given(lr=RATES, momentum=MOMENTA, decay=DECAYS, seed=SEEDS)
def test_rules_without_a_preconditioner_commute_with_rotations(
    optimizer: str, lr: float, momentum: float, decay: float, seed: int
) -> None:
    rule = rule_with(optimizer, momentum=momentum, weight_decay=decay)
    start, gradients = drawn(seed, MEMBERS, NUMBERS), sequence(seed + 1)
    turn = torch.linalg.qr(drawn(seed + 2, NUMBERS, NUMBERS)).Q
    ends, _ = trained(rule, start, gradients, lr)
    turned, _ = trained(rule, start @ turn, lambda params, step: gradients(params, step) @ turn, lr)
    torch.testing.assert_close(turned, ends @ turn, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("optimizer", PRECONDITIONED)
def test_rules_with_a_preconditioner_do_not_commute_with_rotations(optimizer: str) -> None:
    """The negative control of the test above."""
    rule, start, gradients = rule_with(optimizer), drawn(0, MEMBERS, NUMBERS), sequence(1)
    turn = torch.linalg.qr(drawn(2, NUMBERS, NUMBERS)).Q
    ends, _ = trained(rule, start, gradients, 0.1)
    turned, _ = trained(rule, start @ turn, lambda params, step: gradients(params, step) @ turn, 0.1)
    assert float((turned - ends @ turn).abs().max()) > 0.01


# ---- units -----------------------------------------------------------------------------------------------------------

UNITS = st.integers(-20, 20).map(lambda power: 2.0**power)
"""Powers of two, so that a change of unit rounds nothing."""


@pytest.mark.parametrize("optimizer", LINEAR)
@given(lr=RATES, momentum=MOMENTA, seed=SEEDS, unit=UNITS)
def test_a_loss_in_another_unit_is_a_learning_rate_in_the_inverse_one(
    optimizer: str, lr: float, momentum: float, seed: int, unit: float
) -> None:
    rule = rule_with(optimizer, momentum=momentum, weight_decay=0.0)
    start, gradients = drawn(seed, MEMBERS, NUMBERS), sequence(seed + 1)
    ends, _ = trained(rule, start, gradients, lr)
    assert torch.equal(trained(rule, start, lambda p, step: unit * gradients(p, step), lr / unit)[0], ends)


@pytest.mark.parametrize("optimizer", LINEAR)
@given(lr=RATES, momentum=MOMENTA, decay=DECAYS, seed=SEEDS, unit=UNITS)
def test_parameters_and_gradients_in_another_unit_move_in_that_unit(
    optimizer: str, lr: float, momentum: float, decay: float, seed: int, unit: float
) -> None:
    rule = rule_with(optimizer, momentum=momentum, weight_decay=decay)
    start, gradients = drawn(seed, MEMBERS, NUMBERS), sequence(seed + 1)
    ends, _ = trained(rule, start, gradients, lr)
    assert torch.equal(trained(rule, unit * start, lambda p, step: unit * gradients(p, step), lr)[0], unit * ends)


@pytest.mark.parametrize("optimizer", PRECONDITIONED)
@given(lr=RATES, beta1=MOMENTA, seed=SEEDS, power=st.integers(-10, 10))
def test_preconditioned_rules_do_not_depend_on_the_unit_of_the_loss(
    optimizer: str, lr: float, beta1: float, seed: int, power: int
) -> None:
    """eps is scaled with the gradient. Units are powers of four, so that square roots are exact too."""
    unit = 4.0**power
    start, gradients = drawn(seed, MEMBERS, NUMBERS), sequence(seed + 1)
    plain = rule_with(optimizer, beta1=beta1, eps=1e-3, weight_decay=0.0)
    scaled = rule_with(optimizer, beta1=beta1, eps=1e-3 * unit, weight_decay=0.0)
    ends, _ = trained(plain, start, gradients, lr)
    assert torch.equal(trained(scaled, start, lambda p, step: unit * gradients(p, step), lr)[0], ends)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@given(lr=RATES, momentum=MOMENTA, seed=SEEDS, unit=UNITS)
def test_without_decay_and_under_given_gradients_the_displacement_is_proportional_to_the_rate(
    optimizer: str, lr: float, momentum: float, seed: int, unit: float
) -> None:
    rule = rule_with(optimizer, momentum=momentum, beta1=momentum, weight_decay=0.0)
    start, gradients = torch.zeros(MEMBERS, NUMBERS, dtype=torch.float64), sequence(seed + 1)
    assert torch.equal(trained(rule, start, gradients, unit * lr)[0], unit * trained(rule, start, gradients, lr)[0])
