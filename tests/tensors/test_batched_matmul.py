"""Members' matrix products against torch.bmm, their derivatives against finite differences, their bits against place."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import vmap

from spikecheck.tensors.batched_matmul import product

# Odd sizes lay matrices between cache lines, whole cache lines bring in other kernels: both, and mixed.
SIZES = st.one_of(st.integers(1, 35), st.sampled_from([8, 16, 24, 64]))


def drawn(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@given(members=st.integers(1, 9), rows=SIZES, inner=SIZES, columns=SIZES, transposed=st.booleans())
@settings(deadline=None)
def test_product_equals_bmm(members: int, rows: int, inner: int, columns: int, transposed: bool) -> None:
    left, right = drawn(1, members, rows, inner), drawn(2, members, columns, inner).mT
    if not transposed:
        right = right.contiguous()
    torch.testing.assert_close(product(left, right), torch.bmm(left, right))


@given(members=st.integers(1, 3), rows=st.integers(1, 3), inner=st.integers(1, 3), columns=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_first_and_second_derivatives_are_right(members: int, rows: int, inner: int, columns: int) -> None:
    left = drawn(1, members, rows, inner).requires_grad_()
    right = drawn(2, members, inner, columns).requires_grad_()
    assert torch.autograd.gradcheck(product, (left, right))
    assert torch.autograd.gradgradcheck(product, (left, right))


@given(
    members=st.integers(2, 16),
    rows=SIZES,
    inner=SIZES,
    columns=SIZES,
    transposed=st.tuples(st.booleans(), st.booleans()),
    dtype=st.sampled_from([torch.float64, torch.float32]),
)
@settings(max_examples=250, deadline=None)
def test_a_members_bits_depend_on_its_own_matrices_alone(
    members: int, rows: int, inner: int, columns: int, transposed: tuple[bool, bool], dtype: torch.dtype
) -> None:
    left, right = drawn(1, members, rows, inner, dtype=dtype), drawn(2, members, inner, columns, dtype=dtype)
    left, right = (m.mT.contiguous().mT if turn else m for m, turn in zip((left, right), transposed, strict=True))
    whole = product(left, right)
    turned = product(left.flip(0), right.flip(0))
    assert torch.equal(whole, turned.flip(0))


@given(rows=SIZES, inner=SIZES, columns=SIZES, offsets=st.tuples(st.integers(0, 7), st.integers(0, 7)))
@settings(deadline=None)
def test_matrices_that_begin_anywhere_in_memory_have_the_same_product(
    rows: int, inner: int, columns: int, offsets: tuple[int, int]
) -> None:
    def moved(matrices: torch.Tensor, offset: int) -> torch.Tensor:
        padding = torch.zeros(offset, dtype=matrices.dtype)
        return torch.cat([padding, matrices.flatten()])[offset:].view(matrices.shape)

    left, right = drawn(1, 4, rows, inner), drawn(2, 4, inner, columns)
    assert torch.equal(product(moved(left, offsets[0]), moved(right, offsets[1])), product(left, right))


def test_one_more_batch_axis_by_vmap() -> None:
    left, right = drawn(1, 6, 2, 4, 3), drawn(2, 2, 3, 5)
    found = vmap(product, in_dims=(0, None))(left, right)
    torch.testing.assert_close(found, left @ right)


@pytest.mark.parametrize("shapes", [((2, 3, 1), (2, 4, 5)), ((2, 3, 4), (2, 1, 5)), ((2, 3, 1), (2, 4, 1))])
def test_sizes_that_do_not_fit_are_not_broadcast(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises((ValueError, TypeError)):  # the shape checks of the test run come first where they are on
        product(*(drawn(1, *shape) for shape in shapes))
