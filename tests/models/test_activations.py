"""Activation functions with their derivatives, against autograd."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikecheck.models.activations import ACTIVATIONS
from spikecheck.models.mlp import MLP


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_can_be_differentiated_twice(activation: str) -> None:
    model = MLP((2, 3, 3, 1), activation)
    params = torch.randn(2, model.size, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    x = torch.linspace(-1, 1, 8, dtype=torch.float64).view(1, 4, 2)
    params.requires_grad_()
    assert torch.autograd.gradcheck(lambda p: model.outputs(p, x), params)
    assert torch.autograd.gradgradcheck(lambda p: model.outputs(p, x), params)


@given(activation=st.sampled_from(sorted(ACTIVATIONS)), seed=st.integers(0, 1_000))
@settings(deadline=None)
def test_values_and_slopes_are_the_differentiable_functions(activation: str, seed: int) -> None:
    x = 4 * torch.randn(100, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    leaf = x.clone().requires_grad_()
    expected = ACTIVATIONS[activation].differentiable(1 * leaf)
    (slope,) = torch.autograd.grad(expected.sum(), leaf)
    value, found = x.clone(), torch.empty_like(x)
    ACTIVATIONS[activation].with_slope(value, found)
    torch.testing.assert_close(value, expected.detach(), rtol=0, atol=2e-14)
    torch.testing.assert_close(found, slope, rtol=0, atol=2e-14)
