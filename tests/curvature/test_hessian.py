"""Hessian products against closed forms, and against torch's own Hessian one member at a time."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.curvature.hessian import (
    ByKernel,
    ByMatrix,
    LocalCurvature,
    curvature,
    gradient_curvature,
)
from spikecheck.objective.compiles import SHALLOW_FROM as LONG
from spikecheck.objective.objective import build_objective
from spikecheck.tensors.compiler import compiler

compiled = pytest.mark.skipif(not compiler(), reason="torch finds no C++ compiler here")


@dataclass(frozen=True)
class Losses:
    losses: Callable[[Tensor], Tensor]


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def quadratic(matrices: Tensor) -> Losses:
    """theta.A theta/2 for symmetric A [B, P, P]: the Hessian is A."""
    return Losses(lambda params: (params[:, :, None] * matrices * params[:, None, :]).sum((1, 2)) / 2)


def symmetric(seed: int, members: int, size: int) -> Tensor:
    square = normal(seed, members, size, size)
    return square + square.mT


def tanh_net(width: int) -> Losses:
    """Two layers with hidden biases on two sines at 20 points; 3 * width parameters."""
    x = torch.linspace(-2 * math.pi, 2 * math.pi, 20, dtype=torch.float64)
    y = x.sin() + (4 * x).sin()

    def losses(params: Tensor) -> Tensor:
        w, b, a = params.split(width, 1)
        hidden = torch.tanh(x[None, :, None] * w[:, None, :] + b[:, None, :])
        return ((hidden * a[:, None, :]).sum(2) - y).square().mean(1)

    return Losses(losses)


def dense(local: LocalCurvature) -> Tensor:
    members, size = local.gradients.shape
    return local.product(torch.eye(size, dtype=local.gradients.dtype).expand(members, -1, -1))


def test_of_a_quadratic_everything_is_known() -> None:
    matrices, params, vectors = symmetric(0, 5, 7), normal(1, 5, 7), normal(2, 5, 3, 7)
    local = curvature(quadratic(matrices), params)
    torch.testing.assert_close(local.losses, torch.einsum("bp,bpq,bq->b", params, matrices, params) / 2)
    torch.testing.assert_close(local.gradients, torch.einsum("bpq,bq->bp", matrices, params))
    torch.testing.assert_close(local.product(vectors), torch.einsum("bpq,bkq->bkp", matrices, vectors))
    assert not local.losses.requires_grad
    assert not local.gradients.requires_grad


def test_of_a_linear_net_against_its_closed_form() -> None:
    """L = mean (a.w x - y)^2 has H_ww = 2 <xx> aa', H_aa = 2 <xx> ww', H_wa = 2 <xx> aw' + 2 (a.w <xx> - <xy>) I."""
    width, x, y = 4, normal(0, 9), normal(1, 9)
    params = normal(2, 3, 2 * width)
    net = Losses(
        lambda p: ((p[:, :width] * p[:, width:]).sum(1)[:, None] * x - y).square().mean(1),
    )
    found = dense(curvature(net, params))
    xx, xy = x.square().mean(), (x * y).mean()
    for hessian, member in zip(found, params, strict=True):
        w, a = member[:width], member[width:]
        mixed = 2 * xx * torch.outer(a, w) + 2 * (a @ w * xx - xy) * torch.eye(width, dtype=torch.float64)
        rows = [torch.cat([2 * xx * torch.outer(a, a), mixed], 1), torch.cat([mixed.T, 2 * xx * torch.outer(w, w)], 1)]
        torch.testing.assert_close(hessian, torch.cat(rows), rtol=1e-12, atol=1e-12)


@given(seed=st.integers(0, 10_000), members=st.integers(1, 5), width=st.integers(1, 6))
@settings(max_examples=15, deadline=None)
def test_of_a_net_against_torch_member_by_member(seed: int, members: int, width: int) -> None:
    net, params = tanh_net(width), normal(seed, members, 3 * width)
    found = dense(curvature(net, params))
    for member in range(members):
        expected = torch.autograd.functional.hessian(lambda p: net.losses(p[None])[0], params[member])
        torch.testing.assert_close(found[member], expected, rtol=1e-12, atol=1e-12 * float(expected.abs().max()))


def test_products_are_counted() -> None:
    local = curvature(quadratic(symmetric(0, 2, 4)), normal(1, 2, 4))
    local.product(normal(2, 2, 3, 4))
    local.product(normal(2, 2, 1, 4))
    assert local.products == 4


def test_preconditioned_against_dense() -> None:
    matrices, params, diagonal = symmetric(0, 4, 6), normal(1, 4, 6), normal(2, 4, 6).exp()
    local = curvature(quadratic(matrices), params)
    inside = local.preconditioned(diagonal)
    root = diagonal.rsqrt()
    torch.testing.assert_close(dense(inside), root[:, :, None] * matrices * root[:, None, :])
    torch.testing.assert_close(inside.gradients, local.gradients * root)
    assert torch.equal(inside.losses, local.losses)
    assert (local.products, inside.products) == (0, 6)


def test_gradient_curvature_of_a_quadratic() -> None:
    matrices, params = symmetric(0, 4, 6), normal(1, 4, 6)
    g = torch.einsum("bpq,bq->bp", matrices, params)
    expected = torch.einsum("bp,bpq,bq->b", g, matrices, g) / g.square().sum(1)
    torch.testing.assert_close(gradient_curvature(curvature(quadratic(matrices), params)), expected)


def test_gradient_curvature_where_the_gradient_vanishes_is_zero() -> None:
    local = curvature(quadratic(symmetric(0, 2, 3)), torch.zeros(2, 3, dtype=torch.float64))
    assert gradient_curvature(local).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
@pytest.mark.parametrize(("steps", "way"), [(LONG - 1, ByMatrix), pytest.param(LONG, ByKernel, marks=compiled)])
def test_by_matrix_and_by_kernel_it_is_what_it_is_by_backward_passes(activation: str, steps: int, way: type) -> None:
    goal = build_objective([Setting(width=7, points=9, activation=activation, steps=steps)] * 4)
    assert isinstance(curvature(goal, goal.initial(range(4))), way)
    params, vectors, diagonal = goal.initial(range(4)), normal(1, 4, 3, 21), normal(2, 4, 21).exp()
    written, backward = curvature(goal, params), curvature(Losses(goal.losses), params)
    assert written.hessians_of([0]) is not None
    assert backward.hessians_of([0]) is None
    for one, other in (
        (written, backward),
        (written.preconditioned(diagonal), backward.preconditioned(diagonal)),
    ):
        torch.testing.assert_close(one.losses, other.losses)
        torch.testing.assert_close(one.gradients, other.gradients)
        torch.testing.assert_close(one.product(vectors), other.product(vectors), rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(gradient_curvature(one), gradient_curvature(other))
        assert one.products == other.products == 4
        hessians, rows = one.hessians_of([2, 0]), dense(other)[[2, 0]]
        assert hessians is not None
        torch.testing.assert_close(hessians, rows, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("width", [5, 7, 20])
def test_no_member_depends_on_its_companions_or_its_place(width: int) -> None:
    net, params, vectors = tanh_net(width), normal(0, 6, 3 * width), normal(1, 6, 2, 3 * width)
    order = [3, 0, 5, 1, 1, 2]
    alone, shuffled = curvature(net, params), curvature(net, params[order])
    assert torch.equal(alone.product(vectors)[order], shuffled.product(vectors[order]))
    assert torch.equal(gradient_curvature(alone)[order], gradient_curvature(shuffled))


def test_a_member_that_is_not_finite_disturbs_nobody() -> None:
    net, params, vectors = tanh_net(4), normal(0, 4, 12), normal(1, 4, 2, 12)
    broken = params.clone()
    broken[1] = math.nan
    broken[2] = 1e200
    sound, hurt = curvature(net, params).product(vectors), curvature(net, broken).product(vectors)
    assert torch.equal(sound[[0, 3]], hurt[[0, 3]])
    assert not hurt[1].isfinite().any()
