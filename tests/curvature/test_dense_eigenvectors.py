"""Top eigenvectors against NumPy's factorisation; their bits depend neither on the address nor on threads."""

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from spikecheck.curvature.dense_eigenvectors import top_eigenvectors


def matrix(size: int, rank: int, shift: float, dtype: torch.dtype = torch.float64) -> Tensor:
    """A symmetric matrix: a random one of this rank, minus `shift` times the identity."""
    factors = torch.randn(size, rank, generator=torch.Generator().manual_seed(size + rank), dtype=torch.float64)
    return (factors @ factors.T / size - shift * torch.eye(size, dtype=torch.float64)).to(dtype)


@pytest.mark.parametrize(
    ("size", "rank", "shift"), [(1, 1, 0.0), (5, 5, 3.0), (61, 40, 0.1), (150, 150, 0.5), (301, 12, 0.0)]
)
@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-13), (torch.float32, 1e-5)])
def test_they_are_those_of_a_whole_factorisation(
    size: int, rank: int, shift: float, dtype: torch.dtype, within: float
) -> None:
    symmetric, count = matrix(size, rank, shift, dtype), min(6, size)
    found = top_eigenvectors(symmetric, count).double()
    assert found.shape == (count, size)
    torch.testing.assert_close(found @ found.T, torch.eye(count, dtype=torch.float64), atol=50 * within, rtol=0.0)
    values = np.linalg.eigvalsh(symmetric.double().numpy())[::-1][:count].copy()
    quotients = torch.linalg.vecdot(found @ symmetric.double(), found)
    scale = max(1.0, float(np.abs(values).max()))
    torch.testing.assert_close(quotients, torch.from_numpy(values), atol=50 * within * scale, rtol=0.0)


@pytest.mark.parametrize("symmetric", [torch.zeros(9, 9), torch.eye(9), -torch.eye(9)])
def test_equal_eigenvalues_give_orthonormal_vectors(symmetric: Tensor) -> None:
    found = top_eigenvectors(symmetric.double(), 4)
    torch.testing.assert_close(found @ found.T, torch.eye(4, dtype=torch.float64), atol=1e-14, rtol=0.0)


@pytest.mark.parametrize("size", [16, 61, 150])
def test_a_matrix_anywhere_in_memory_gives_the_same_bits(size: int) -> None:
    symmetric = matrix(size, size, 0.3)
    expected = top_eigenvectors(symmetric, 3)
    for offset in range(1, 9):
        room = torch.zeros(size * size + offset, dtype=torch.float64)
        moved = room[offset:].view(size, size).copy_(symmetric)
        assert torch.equal(top_eigenvectors(moved, 3), expected)


def test_the_number_of_threads_changes_no_bit() -> None:
    symmetric = matrix(385, 385, 0.3)
    with threadpool_limits(1):
        one = top_eigenvectors(symmetric, 3)
    with threadpool_limits(2):
        assert torch.equal(top_eigenvectors(symmetric, 3), one)


def test_the_matrix_is_left_as_it_was() -> None:
    symmetric = matrix(20, 20, 0.3)
    before = symmetric.clone()
    top_eigenvectors(symmetric, 3)
    assert torch.equal(symmetric, before)
