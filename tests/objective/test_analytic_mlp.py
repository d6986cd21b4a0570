"""The layer-wise gradient and products written out by hand, against autograd's."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikecheck.core.setting import Setting
from spikecheck.models.mlp import MLP
from spikecheck.objective import analytic_mlp
from spikecheck.objective.analytic_mlp import Layered
from spikecheck.objective.objective import Objective, Points, build_objective

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
def test_it_is_autograds(shape: Setting, members: int, points: int, apart: bool, seed: int) -> None:
    goal = own_points(build_objective([shape] * members), points, apart)
    assert isinstance(goal.written_out, Layered)
    params = goal.initial(range(seed, seed + members))
    leaf = params.clone().requires_grad_()
    expected_losses = goal.losses(leaf)
    (expected,) = torch.autograd.grad(expected_losses.sum(), leaf)
    losses, gradients = goal.gradient(params)
    # What is rounded in one layer is as many times as large in the next as its weights are.
    rounding = torch.finfo(params.dtype).eps * max(1.0, shape.init_scale) ** shape.depth
    torch.testing.assert_close(losses, expected_losses.detach(), rtol=100 * rounding, atol=0)
    torch.testing.assert_close(gradients, expected, rtol=0, atol=1e3 * rounding * float(1 + expected.abs().max()))


@given(
    shape=SHAPES,
    members=st.integers(1, 4),
    count=st.integers(1, 5),
    apart=st.booleans(),
    together=st.integers(1, 10**6),
)
@settings(max_examples=100, deadline=None)
def test_its_products_are_those_of_a_second_backward_pass(
    shape: Setting, members: int, count: int, apart: bool, together: int
) -> None:
    goal = own_points(build_objective([shape.but(dtype="float64", init_scale=1.0)] * members), 9, apart)
    params = goal.initial(range(members))
    generator = torch.Generator().manual_seed(count)
    vectors = torch.randn(members, count, goal.size, generator=generator, dtype=torch.float64)
    leaf = params.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(goal.losses(leaf).sum(), leaf, create_graph=True)
    expected = torch.stack([torch.autograd.grad(slopes, leaf, v, retain_graph=True)[0] for v in vectors.unbind(1)], 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analytic_mlp, "_TOGETHER", together)  # all members and vectors at once, or one after another
        losses, gradients, images = goal.gradient_and_products(params, vectors)
    torch.testing.assert_close(images, expected, rtol=1e-9, atol=1e-11 * float(1 + expected.abs().max()))
    assert torch.equal(losses, goal.gradient(params)[0])
    assert torch.equal(gradients, goal.gradient(params)[1])


def test_a_member_that_overflows_spoils_no_other() -> None:
    goal = build_objective([Setting(problem="mnist1d", points=12, width=8, activation="relu")] * 3)
    params = goal.initial(range(3))
    params[1] *= 1e200
    losses, gradients = goal.gradient(params)
    alone, expected = build_objective([goal.settings[0]] * 3).gradient(goal.initial(range(3)))
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
