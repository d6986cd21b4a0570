"""Patches against torch's own, and their derivatives against finite differences."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from spikecheck.models.patches import patches
from spikecheck.models.sizes import halved, kernel


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@given(
    members=st.integers(1, 3),
    channels=st.integers(1, 3),
    size=st.one_of(st.tuples(st.integers(1, 9), st.integers(1, 9)), st.just((1, 40))),
    points=st.integers(1, 4),
)
@settings(deadline=None)
def test_they_are_torchs(members: int, channels: int, size: tuple[int, int], points: int) -> None:
    signal, window = drawn(members, channels, *size, points), kernel(size)
    middle = (window[0] // 2, window[1] // 2)
    images = signal.movedim(4, 1).flatten(0, 1)
    expected = functional.unfold(images, window, padding=middle, stride=2)
    found = patches(signal)
    assert found.shape == (members, channels, *window, *halved(size), points)
    assert torch.equal(found.movedim(6, 1).reshape(expected.shape), expected)


@pytest.mark.parametrize("size", [(4, 5), (1, 6), (2, 1)])
def test_first_and_second_derivatives_are_right(size: tuple[int, int]) -> None:
    signal = drawn(2, 2, *size, 2).requires_grad_()
    assert torch.autograd.gradcheck(patches, signal)
    assert torch.autograd.gradgradcheck(lambda s: patches(s).square(), signal)
