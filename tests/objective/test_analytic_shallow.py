"""The gradient written out by hand against autograd's."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spikecheck.core.setting import Setting
from spikecheck.models.activations import ACTIVATIONS
from spikecheck.models.mlp import MLP
from spikecheck.objective.analytic_shallow import Shallow
from spikecheck.objective.objective import Objective, build_objective

SHAPES = st.builds(
    Setting,
    width=st.integers(1, 60),
    points=st.integers(2, 45),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    output_bias=st.booleans(),
    init_scale=st.sampled_from([0.01, 1.0, 30.0]),
)


def by_autograd(goal: Objective, params: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    leaf = params.clone().requires_grad_()
    losses = goal.losses(leaf)
    (gradients,) = torch.autograd.grad(losses.sum(), leaf)
    return losses.detach(), gradients


@given(shape=SHAPES, members=st.integers(1, 9), alike=st.booleans(), seed=st.integers(0, 1_000))
@settings(max_examples=200, deadline=None)
def test_it_is_autograds(shape: Setting, members: int, alike: bool, seed: int) -> None:
    batch = (
        [shape] * members if alike else [shape.but(target=f"sin {1 + m}x", interval=1.0 + m) for m in range(members)]
    )
    goal = build_objective(batch)
    params = goal.initial(range(seed, seed + members))
    for _ in range(2):  # the second time in memory that the first has used
        losses, gradients = goal.gradient(params)
        expected_losses, expected = by_autograd(goal, params)
        torch.testing.assert_close(losses, expected_losses, rtol=1e-12, atol=1e-14)
        # parts of a gradient that cancel leave the rounding of the largest
        torch.testing.assert_close(gradients, expected, rtol=1e-10, atol=1e-13 * float(1 + expected.abs().max()))


@given(shape=SHAPES, members=st.integers(1, 5), alike=st.booleans(), seed=st.integers(0, 1_000))
@settings(max_examples=60, deadline=None)
@example(shape=Setting(width=1, points=2, output_bias=True, init_scale=30.0), members=1, alike=True, seed=4)
def test_the_hessian_is_autograds(shape: Setting, members: int, alike: bool, seed: int) -> None:
    batch = (
        [shape] * members if alike else [shape.but(target=f"sin {1 + m}x", interval=1.0 + m) for m in range(members)]
    )
    goal = build_objective(batch)
    params = goal.initial(range(seed, seed + members))
    leaf = params.clone().requires_grad_()
    (gradients,) = torch.autograd.grad(goal.losses(leaf).sum(), leaf, create_graph=True)
    rows = [torch.autograd.grad(column.sum(), leaf, retain_graph=True)[0] for column in gradients.unbind(1)]
    expected, found = torch.stack(rows, 1), goal.hessians(params)
    assert found is not None
    # Of a neuron that is saturated 1 - tanh^2 is rounding, and large weights magnify it on both sides alike.
    rounding = 1e-13 * float(1 + expected.abs().max()) * max(1.0, shape.init_scale)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=rounding)
    torch.testing.assert_close(
        found, found.mT, rtol=1e-12, atol=rounding
    )  # some processors round x y' and y x' differently


@given(shape=SHAPES)
@settings(max_examples=30, deadline=None)
def test_in_float32_it_is_float64s_to_rounding(shape: Setting) -> None:
    single, double = build_objective([shape.but(dtype="float32")] * 2), build_objective([shape] * 2)
    losses, gradients = single.gradient(single.initial(range(2)))
    _, expected = double.gradient(double.initial(range(2)))
    assert losses.dtype == gradients.dtype == torch.float32
    torch.testing.assert_close(gradients.double(), expected, rtol=1e-3, atol=1e-4 * float(1 + expected.abs().max()))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("members", [2, 7, 8, 17, 24, 33, 64, 100])
def test_the_same_member_has_the_same_bits_at_every_place(members: int, dtype: str) -> None:
    """Regression: the columns at the end of a row were added up in another order."""
    for width, points in [(1, 7), (3, 20), (7, 40), (20, 20), (50, 40)]:
        goal = build_objective([Setting(width=width, points=points, output_bias=True, dtype=dtype)] * members)
        losses, gradients = goal.gradient(goal.initial([5] * members))
        assert torch.equal(losses, losses[:1].expand(members))
        assert torch.equal(gradients, gradients[:1].expand(members, -1))
        hessians = goal.hessians(goal.initial([5] * members))
        assert hessians is not None
        assert torch.equal(hessians, hessians[:1].expand(members, -1, -1))


def test_only_networks_of_its_kind_are_taken() -> None:
    assert Shallow.fits(MLP((1, 4, 1), "tanh"), "mse")
    assert not Shallow.fits(MLP((1, 4, 1), "tanh"), "cross-entropy")
    others = [Setting(depth=2, width=1), Setting(problem="digits"), Setting(problem="digits", loss="cross-entropy")]
    goals = [build_objective([other]) for other in others]
    assert not any(isinstance(goal.written_out, Shallow) for goal in goals)
    assert all(goal.hessians(goal.initial([0])) is None for goal in goals)
    assert isinstance(build_objective([Setting()]).written_out, Shallow)


def test_a_diverged_member_leaves_the_others_alone() -> None:
    goal = build_objective([Setting()] * 3)
    params = goal.initial(range(3))
    lost = params.clone()
    lost[1] = torch.tensor([float("inf"), float("nan")]).repeat(goal.size // 2)
    (losses, gradients), (expected_losses, expected) = goal.gradient(lost), goal.gradient(params)
    assert not losses[1].isfinite()
    for member in (0, 2):
        assert torch.equal(losses[member], expected_losses[member])
        assert torch.equal(gradients[member], expected[member])
    again, _ = goal.gradient(params)  # nothing of it stays in the memory that is used again
    assert torch.equal(again, expected_losses)
