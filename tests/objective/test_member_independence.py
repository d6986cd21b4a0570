"""A member's losses, gradients and Hessian-vector products depend on its own recipe alone, bit by bit."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.objective.objective import Objective, build_objective

Write = Callable[[str], str]

TARGETS = st.sampled_from(["sin x", "sin x + sin 4x", "0.5 sin 2x + sin x"])
# Odd sizes above all: their matrices begin between cache lines, which is where kernels differ.
SHAPES = st.builds(
    Setting,
    width=st.sampled_from([1, 2, 3, 7, 16, 17, 20, 23, 50]),
    points=st.sampled_from([2, 7, 16, 20, 23]),
    depth=st.integers(1, 3),
    activation=st.sampled_from(["tanh", "relu", "gelu", "xtanh"]),
    output_bias=st.booleans(),
    dtype=st.sampled_from(["float64", "float64", "float32"]),
)


@dataclass(frozen=True)
class Numbers:
    trained_on: tuple[Tensor, Tensor]
    losses: Tensor
    gradients: Tensor
    products: Tensor

    def of(self, member: int) -> tuple[Tensor, ...]:
        losses, gradients = self.trained_on
        return losses[member], gradients[member], self.losses[member], self.gradients[member], self.products[member]


def numbers(goal: Objective, params: Tensor) -> Numbers:
    leaf = params.detach().clone().requires_grad_()
    losses = goal.losses(leaf)
    (gradients,) = torch.autograd.grad(losses.sum(), leaf, create_graph=True)
    (products,) = torch.autograd.grad(gradients.sum(), leaf)
    return Numbers(goal.gradient(params), losses.detach(), gradients.detach(), products)


def same(first: tuple[Tensor, ...], second: tuple[Tensor, ...]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


@given(
    shape=SHAPES,
    members=st.sampled_from([2, 3, 8, 17, 64]),
    places=st.tuples(st.sampled_from([0, -1]), st.integers(0, 63)),  # the last place is where vector kernels end
    companions=st.tuples(TARGETS, TARGETS),
    mine=TARGETS,
)
@settings(max_examples=100, deadline=None)
def test_companions_and_place_change_no_bit(
    shape: Setting, members: int, places: tuple[int, int], companions: tuple[str, str], mine: str
) -> None:
    found = []
    for place, target, first_seed in zip(places, companions, (100, 500), strict=True):
        member = place % members
        batch = [shape.but(target=target, interval=1.0)] * members
        seeds = [first_seed + i for i in range(members)]
        batch[member], seeds[member] = shape.but(target=mine), 0
        goal = build_objective(batch)
        found.append(numbers(goal, goal.initial(seeds)).of(member))
    assert same(*found)


@given(shape=SHAPES, member=st.integers(0, 7))
@settings(max_examples=40, deadline=None)
def test_one_that_shares_its_data_equals_one_that_does_not(shape: Setting, member: int) -> None:
    """Where all members have the same points, these are not copied."""
    alike, mixed = [shape] * 8, [shape.but(target="sin 3x")] * 8
    mixed[member] = shape
    shared, separate = build_objective(alike), build_objective(mixed)
    assert len(shared.train.x) == 1 and len(separate.train.x) == 8
    params = shared.initial(range(8))
    assert same(numbers(shared, params).of(member), numbers(separate, params).of(member))


@given(
    model=st.sampled_from(["mlp", "conv"]),
    loss=st.sampled_from(["mse", "cross-entropy"]),
    width=st.sampled_from([5, 16, 23]),
    depth=st.integers(1, 2),
)
@settings(max_examples=8, deadline=None)
def test_on_digits_too(model: str, loss: str, width: int, depth: int) -> None:
    goal = build_objective([Setting(problem="digits", model=model, loss=loss, width=width, depth=depth)] * 3)
    params, order = goal.initial(range(3)), torch.tensor([2, 0, 1])
    here, there = numbers(goal, params), numbers(goal, params[order])
    assert all(same(here.of(int(order[place])), there.of(place)) for place in range(3))


@given(
    shape=st.builds(
        Setting,
        problem=st.just("mnist1d"),
        model=st.just("conv"),
        width=st.sampled_from([1, 2, 3, 4, 7, 8]),
        points=st.sampled_from([2, 7, 16, 23, 50]),
        depth=st.integers(1, 6),
        activation=st.sampled_from(["tanh", "relu", "gelu", "xtanh"]),
        output_bias=st.booleans(),
        loss=st.sampled_from(["mse", "cross-entropy"]),
        dtype=st.sampled_from(["float64", "float64", "float32"]),
    ),
    members=st.sampled_from([2, 3, 8, 17]),
    places=st.tuples(st.sampled_from([0, -1]), st.integers(0, 16)),
)
@settings(max_examples=60, deadline=None)
def test_in_convolutional_nets_too(shape: Setting, members: int, places: tuple[int, int]) -> None:
    goal, found = build_objective([shape] * members), []
    for place, first_seed in zip(places, (100, 500), strict=True):
        seeds = [first_seed + i for i in range(members)]
        seeds[place % members] = 0
        found.append(numbers(goal, goal.initial(seeds)).of(place % members))
    assert same(*found)


@given(width=st.sampled_from([3, 17, 20]), points=st.sampled_from([7, 20]), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_ones_own_modules_linear_layers_too(write: Write, width: int, points: int, seed: int) -> None:
    module = write(
        "from torch import nn\n"
        "def make(s):\n"
        "    w = s.width\n"
        "    return nn.Sequential(nn.Linear(1, w), nn.ReLU(), nn.Linear(w, w), nn.Tanh(), nn.Linear(w, 1))\n"
    )
    goal = build_objective([Setting(model=f"{module}:make", width=width, points=points)] * 5)
    params = goal.initial(range(5))
    order = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    here, there = numbers(goal, params), numbers(goal, params[order])
    assert all(same(here.of(int(order[place])), there.of(place)) for place in range(5))
