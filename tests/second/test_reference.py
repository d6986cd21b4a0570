"""The second implementation by itself: formulas against imaginary steps, motion against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.second.motion import constrained, displaced_growth, projected, sharpest, sharpness_slope
from tests.second.network import JETS, Net, Numbers

ACTIVATIONS = pytest.mark.parametrize("activation", sorted(JETS))
SEEDS = st.integers(0, 10_000)
# Analytic functions have no rounding in such a step: f(x + ih) = f(x) + ih f'(x) for every digit that there is.
IMAGINARY = 1e-30j


def a_net(activation: str, seed: int, neurons: int = 5) -> tuple[Net, Numbers]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3.0, 3.0, 9)
    return Net(x, np.sin(x), activation), rng.normal(scale=0.7, size=3 * neurons)


@ACTIVATIONS
@given(seed=SEEDS)
def test_derivatives_are_those_of_the_loss(activation: str, seed: int) -> None:
    net, theta = a_net(activation, seed)
    shifted = theta + IMAGINARY * np.eye(len(theta))
    slopes = np.array([net.loss(row).imag for row in shifted]) / IMAGINARY.imag
    bends = np.array([net.gradient(row).imag for row in shifted]) / IMAGINARY.imag
    np.testing.assert_allclose(net.gradient(theta), slopes, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(net.hessian(theta), bends, rtol=1e-12, atol=1e-12)


@ACTIVATIONS
@given(seed=SEEDS)
def test_curvature_along_a_line_is_that_of_the_hessian(activation: str, seed: int) -> None:
    net, theta = a_net(activation, seed)
    direction = np.random.default_rng(seed + 1).normal(size=len(theta))
    along = net.curvature(*(share.sum(axis=1) for share in net.shares(theta, direction)))
    assert along == pytest.approx(direction @ net.hessian(theta) @ direction, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("activation", ["gelu", "tanh", "xtanh"])
def test_the_slope_of_the_sharpness_is_that_of_the_largest_eigenvalue(activation: str) -> None:
    """Differences of the eigenvalue itself, with v_1 found anew at every point."""
    for seed in range(5):
        net, theta = a_net(activation, seed)
        shifts = 1e-5 * np.eye(len(theta))
        direct = [(sharpest(net, theta + shift)[0] - sharpest(net, theta - shift)[0]) / 2e-5 for shift in shifts]
        found = sharpness_slope(net, theta, sharpest(net, theta)[1])
        np.testing.assert_allclose(found, direct, rtol=1e-6, atol=1e-6 * np.abs(direct).max())


def test_the_sharpness_is_the_largest_eigenvalue_and_not_that_of_largest_size() -> None:
    saddled = 0
    for seed in range(20):
        net, theta = a_net("tanh", seed, neurons=3)
        hard = Net(net.x, 9.0 * net.y, net.activation)
        values = np.linalg.eigvalsh(hard.hessian(theta))
        assert sharpest(hard, theta)[0] == pytest.approx(values.max(), rel=1e-9)
        saddled += int(-values.min() > 1.05 * values.max())
    assert saddled >= 3


def test_a_projection_is_at_the_bottom_and_under_the_ceiling() -> None:
    for seed in range(5):
        net, theta = a_net("tanh", seed, neurons=10)
        ceiling = 0.98 * sharpest(net, theta)[0]
        there = projected(net, theta, ceiling)
        sharpness, first = sharpest(net, there)
        assert sharpness == pytest.approx(ceiling, rel=1e-9)
        assert net.gradient(there) @ first == pytest.approx(0.0, abs=1e-7)


def test_a_constrained_trajectory_goes_downhill_and_stays() -> None:
    net, theta = a_net("tanh", 3, neurons=10)
    lr = 2.0 / (0.98 * sharpest(net, theta)[0])
    path = constrained(net, theta, lr, 30)[1:]
    assert max(lr * sharpest(net, at)[0] for at in path) <= 2.0 + 1e-8
    assert (np.diff(net.losses(path)) < 0).all()


@pytest.mark.parametrize("edge", [0.6, 1.4])
def test_a_small_displacement_along_the_first_direction_grows_at_the_known_rate(edge: float) -> None:
    """|1 - lr lambda_max|, below the threshold and above it, from a point at the bottom of the valley."""
    for seed in range(5):
        net, theta = a_net("tanh", seed, neurons=10)
        lr = edge * 2.0 / sharpest(net, theta)[0]
        bottom = projected(net, theta, np.inf)
        factors, sharpness = displaced_growth(net, bottom, lr, 1)
        assert factors[0] == pytest.approx(abs(1.0 - lr * sharpness[0]), rel=1e-2)
