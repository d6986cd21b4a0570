"""Ritz pairs of a subspace, against LAPACK on the projected matrix."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from spikecheck.curvature.hessian import LocalCurvature
from spikecheck.curvature.rayleigh_ritz import Ritz, beside, explore, noise, orthonormal, ritz, search, usable


class Known(LocalCurvature):
    """The curvature of given symmetric matrices [B, P, P]."""

    def __init__(self, matrices: Tensor) -> None:
        self.matrices = matrices
        self.losses, self.gradients = matrices.new_zeros(len(matrices)), matrices.new_zeros(matrices.shape[:2])

    def product(self, vectors: Tensor) -> Tensor:
        return vectors @ self.matrices

    def preconditioned(self, diagonal: Tensor) -> LocalCurvature:
        scale = diagonal.rsqrt()
        return Known(scale[:, :, None] * self.matrices * scale[:, None, :])


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def symmetric(seed: int, members: int, size: int) -> Tensor:
    drawn = normal(seed, members, size, size)
    return (drawn + drawn.mT) / 2


def is_orthonormal(rows: Tensor) -> bool:
    gram = rows @ rows.mT
    return torch.allclose(gram, torch.eye(rows.shape[1], dtype=rows.dtype).expand_as(gram), atol=1e-12)


@given(st.integers(0, 99), st.integers(1, 3), st.integers(2, 21), st.data())
def test_pairs_are_those_of_the_projected_matrix(seed: int, members: int, size: int, data: st.DataObject) -> None:
    span = data.draw(st.integers(1, size))
    keep = data.draw(st.integers(1, span))
    matrices, basis = symmetric(seed, members, size), orthonormal(normal(seed + 1, members, span, size))
    found = ritz(basis, basis @ matrices, keep)
    for member in range(members):
        rows = basis[member].numpy()
        expected = np.linalg.eigvalsh(rows @ matrices[member].numpy() @ rows.T)[::-1][:keep]
        np.testing.assert_allclose(found.values[member], expected, atol=1e-12)
    assert is_orthonormal(found.vectors)
    torch.testing.assert_close(found.images, found.vectors @ matrices)
    quotients = (found.vectors * found.images).sum(2)
    torch.testing.assert_close(quotients, found.values, rtol=0, atol=1e-12)
    inside = found.vectors @ basis.mT @ basis
    torch.testing.assert_close(inside, found.vectors)


@given(st.integers(0, 99), st.integers(3, 12))
def test_a_search_from_one_direction_ends_at_the_largest_eigenvalue(seed: int, size: int) -> None:
    matrices = symmetric(seed, 2, size)
    found = search(Known(matrices), normal(seed + 1, 2, 1, size), keep=1, pairs=1, block=1, tolerance=1e-9, most=size)
    expected = torch.linalg.eigvalsh(matrices)[:, -1]
    torch.testing.assert_close(found.values[:, 0], expected, rtol=1e-8, atol=1e-8)


def test_a_member_that_has_converged_no_longer_changes() -> None:
    """The first starts at its eigenvector, the second does not: beside it the first keeps its bits."""
    matrices = torch.stack([torch.diag(torch.arange(9.0, dtype=torch.float64)), symmetric(3, 1, 9)[0]])
    start = torch.stack([torch.eye(9, dtype=torch.float64)[8:], normal(4, 1, 9)])
    both = search(Known(matrices), start, keep=1, pairs=1, block=1, tolerance=1e-8, most=9)
    alone = search(Known(matrices[:1]), start[:1], keep=1, pairs=1, block=1, tolerance=1e-8, most=9)
    assert torch.equal(both.values[:1], alone.values)
    assert torch.equal(both.vectors[:1], alone.vectors)
    assert float(both.values[0, 0]) == pytest.approx(8.0)


def test_scouts_find_what_the_known_directions_do_not_hold() -> None:
    matrix = torch.diag(torch.tensor([5.0, 3.0, 2.0, 1.0, 0.5, 0.1], dtype=torch.float64))[None]
    known = torch.eye(6, dtype=torch.float64)[None, 1:2]
    stuck = search(Known(matrix), known, keep=1, pairs=1, block=1, tolerance=1e-6, most=6)
    assert float(stuck.values[0, 0]) == pytest.approx(3.0)
    found = explore(Known(matrix), known, normal(0, 1, 1, 6), depth=4)
    assert float(found.values[0, 0]) > 4.9


@pytest.mark.parametrize(
    "rows",
    [
        normal(0, 2, 3, 7),
        normal(1, 1, 1, 16).expand(1, 4, 16).clone(),  # dependent
        torch.zeros(1, 2, 5, dtype=torch.float64),
    ],
)
def test_a_basis_is_orthonormal_whatever_its_rows_are(rows: Tensor) -> None:
    assert is_orthonormal(orthonormal(rows))


@given(st.integers(0, 99))
def test_new_rows_stand_on_the_basis_and_on_one_another(seed: int) -> None:
    basis = orthonormal(normal(seed, 2, 3, 11))
    inside = basis[:, :1] + 1e-14 * normal(seed + 1, 2, 1, 11)  # what lies in the span is replaced
    fresh = beside(basis, torch.cat([inside, normal(seed + 2, 2, 2, 11)], 1))
    assert is_orthonormal(torch.cat([basis, fresh], 1))


def ritz_of(values: Sequence[float], residual: float, sound: bool = True) -> Ritz:
    """Pairs of axes with these values, whose images lie off by `residual` along the last axis."""
    count = len(values)
    vectors = torch.eye(count + 1, dtype=torch.float64)[None, :count]
    numbers = torch.tensor([list(values)], dtype=torch.float64)
    images = numbers[:, :, None] * vectors
    images[:, :, -1] += residual
    return Ritz(numbers, vectors, images, torch.tensor([sound]))


@pytest.mark.parametrize(
    ("values", "residual", "converged"),
    [
        ((10.0, 5.0), 0.04, [True, True]),
        ((10.0, 5.0), 0.07, [True, False]),  # within a hundredth of 10, and not of 5
        ((10.0, 0.01), 0.009, [True, True]),  # small values are measured against a tenth of the largest
        ((10.0, 0.01), 0.011, [True, False]),
        ((10.0, -9.0), 0.08, [True, True]),
    ],
)
def test_convergence_is_relative_to_the_value(values: Sequence[float], residual: float, converged: list[bool]) -> None:
    pairs = ritz_of(values, residual)
    assert pairs.converged(0.01).tolist() == [converged]
    assert pairs.settled(1, 0.01).tolist() == [converged[0]]
    assert pairs.settled(2, 0.01).tolist() == [all(converged)]
    assert pairs.relative_residuals()[0].tolist() == pytest.approx([residual / 10.0] * 2)


def test_a_member_without_usable_numbers_is_settled_and_never_converged() -> None:
    pairs = ritz_of((10.0,), 0.0, sound=False)
    assert pairs.settled(1, 0.01).tolist() == [True]
    assert pairs.converged(0.01).tolist() == [[False]]
    rows = torch.tensor([[[1.0]], [[float("nan")]], [[1e200]], [[1e150]]], dtype=torch.float64)
    assert usable(rows).tolist() == [True, False, False, True]


def test_noise_is_the_same_for_every_member_and_of_about_unit_length() -> None:
    rows = noise(500, torch.zeros(3, 200, dtype=torch.float64))
    assert rows.shape == (1, 500, 200)
    assert torch.equal(rows, noise(500, torch.zeros(1, 200, dtype=torch.float64)))
    assert not torch.equal(rows, noise(500, torch.zeros(1, 200, dtype=torch.float64), seed=1))
    assert float(rows.norm(dim=2).mean()) == pytest.approx(1.0, abs=0.01)
