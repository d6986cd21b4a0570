"""The layer-wise gradient written out by hand is autograd's to the bit: stored runs of either kind stay what they are."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikecheck.core.setting import Setting
from spikecheck.problems.layered import Layered
from spikecheck.problems.mlp import MLP
from spikecheck.problems.objective import Objective, Points, objective

SHAPES = st.builds(
    Setting,
    problem=st.just("mnist1d"),
    points=st.just(12),
    width=st.integers(2, 40),
    depth=st.integers(1, 3),
    activation=st.sampled_from(["tanh", "relu"]),
    output_bias=st.booleans(),
    init_scale=st.sampled_from([0.01, 1.0, 30.0]),
    dtype=st.sampled_from(["float64", "float32"]),
)


def own_points(goal: Objective, points: int, apart: bool) -> Objective:
    """The objective with other inputs, every member's own or one copy for all."""
    generator = torch.Generator().manual_seed(points)
    copies = goal.members if apart else 1
    x = torch.randn(copies, points, goal.train.x.shape[2], generator=generator).to(goal.train.x)
    y = torch.randn(copies, points, goal.train.y.shape[2], generator=generator).to(goal.train.x)
    return replace(goal, train=Points(x, y))


@given(shape=SHAPES, members=st.integers(1, 9), points=st.integers(1, 30), apart=st.booleans(), seed=st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_it_is_autograds_to_the_bit(shape: Setting, members: int, points: int, apart: bool, seed: int) -> None:
    goal = own_points(objective([shape] * members), points, apart)
    assert isinstance(goal._written_out, Layered)
    params = goal.initial(range(seed, seed + members))
    leaf = params.clone().requires_grad_()
    expected_losses = goal.losses(leaf)
    (expected,) = torch.autograd.grad(expected_losses.sum(), leaf)
    losses, gradients = goal.gradient(params)
    assert torch.equal(losses, expected_losses)
    assert torch.equal(gradients, expected)


def test_a_member_that_overflows_spoils_no_other() -> None:
    goal = objective([Setting(problem="mnist1d", points=12, width=8, activation="relu")] * 3)
    params = goal.initial(range(3))
    params[1] *= 1e200
    losses, gradients = goal.gradient(params)
    alone, expected = objective([goal.settings[0]] * 3).gradient(goal.initial(range(3)))
    assert not losses[1].isfinite()
    assert torch.equal(losses[[0, 2]], alone[[0, 2]])
    assert torch.equal(gradients[[0, 2]], expected[[0, 2]])


@pytest.mark.parametrize(
    ("sizes", "activation", "loss"),
    [
        ((40, 20, 10), "gelu", "mse"),
        ((40, 20, 10), "tanh", "cross-entropy"),
        ((1, 20, 10), "tanh", "mse"),
        ((40, 20, 1), "tanh", "mse"),
        ((40, 10), "tanh", "mse"),
    ],
)
def test_what_is_computed_in_another_way_is_left_to_autograd(
    sizes: tuple[int, ...], activation: str, loss: str
) -> None:
    assert not Layered.fits(MLP(sizes, activation), loss)
