"""Vectors with their images, against linear algebra on symmetric matrices, call by call and compiled."""

import shutil

import pytest
import torch
from torch import Tensor

from spikecheck.curvature.tracked_pair import PLAIN, Arithmetic, Pair, by_kernels

MEMBERS, SIZE = 3, 7


def matrices() -> Tensor:
    drawn = torch.randn(MEMBERS, SIZE, SIZE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return drawn + drawn.mT


def rows(seed: int) -> Tensor:
    drawn = torch.randn(MEMBERS, SIZE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.nn.functional.normalize(drawn, dim=1)


def times(vectors: Tensor) -> Tensor:
    return (matrices() @ vectors[:, :, None])[:, :, 0]


@pytest.fixture(params=["call by call", "compiled"])
def by(request: pytest.FixtureRequest) -> Arithmetic:
    if request.param == "call by call":
        return PLAIN
    if shutil.which("g++") is None:
        pytest.skip("torch finds no C++ compiler here")
    return by_kernels(torch.float64, 1)


def two(by: Arithmetic) -> tuple[Pair, Pair]:
    """A pair and another whose vector is orthogonal to it."""
    first = rows(1)
    second = by.beside(rows(2), first)
    return by.pair(first, times(first)), by.pair(second, times(second))


def test_a_pair_has_its_quotient_its_residual_and_a_shifted_step_of_the_power_method(by: Arithmetic) -> None:
    vectors = rows(1)
    found, images = by.pair(vectors, times(vectors)), times(vectors)
    value = torch.einsum("bp,bp->b", vectors, images)
    torch.testing.assert_close(found.value, value)
    torch.testing.assert_close(found.residual, images - value[:, None] * vectors)
    torch.testing.assert_close(found.relative, (images - value[:, None] * vectors).norm(dim=1) / value.abs())
    ahead = images + value.abs()[:, None] / 4 * vectors
    torch.testing.assert_close(found.ahead, ahead / ahead.norm(dim=1, keepdim=True))


def test_of_two_directions_the_best_pair_and_the_rest_are_orthonormal_with_their_own_images(by: Arithmetic) -> None:
    one, other = two(by)
    first, second = by.turned(one, other)
    both = torch.stack([first.vector, second.vector], 1)
    torch.testing.assert_close(both @ both.mT, torch.eye(2, dtype=torch.float64).expand(MEMBERS, -1, -1))
    for pair in (first, second):
        torch.testing.assert_close(pair.image, times(pair.vector))
    basis = torch.stack([one.vector, other.vector], 1)
    ritz = torch.linalg.eigvalsh(basis @ matrices() @ basis.mT)
    torch.testing.assert_close(torch.stack([second.value, first.value], 1), ritz)


def test_what_is_beside_a_vector_is_orthogonal_to_it_even_where_it_is_nearly_the_same(by: Arithmetic) -> None:
    vectors = rows(1)
    found = by.beside(vectors + 1e-9 * rows(2), vectors)
    assert float((found * vectors).sum(1).abs().max()) < 1e-15
    torch.testing.assert_close(found.norm(dim=1), torch.ones(MEMBERS, dtype=torch.float64))


def test_members_are_put_in_whole_and_the_others_keep_their_bits() -> None:
    one, other = two(PLAIN)
    found = one.scatter(torch.tensor([1]), other.index(torch.tensor([1])))
    for name in ("vector", "image", "value", "relative", "ahead"):
        mixed, mine, theirs = (getattr(pair, name) for pair in (found, one, other))
        assert torch.equal(mixed[1], theirs[1])
        assert torch.equal(mixed[[0, 2]], mine[[0, 2]])


def test_what_is_left_of_a_vector_has_the_image_that_is_left() -> None:
    one, other = two(PLAIN)
    mixed = PLAIN.pair(0.6 * one.vector + 0.8 * other.vector, 0.6 * one.image + 0.8 * other.image)
    rest = mixed.without(one)
    torch.testing.assert_close(rest.vector, other.vector)
    torch.testing.assert_close(rest.image, times(rest.vector))
