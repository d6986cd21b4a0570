"""A shallow network's passes against autograd, on every activation and with an output bias or none."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from spikecheck.models.activations import ACTIVATIONS
from spikecheck.objective.shallow_passes import JETS, forward_over_reverse, reverse

PLAIN: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh, "relu": torch.relu, "gelu": functional.gelu, "xtanh": lambda x: x * torch.tanh(x),
}  # fmt: skip
"""As torch has them; the passes write them with other functions, which are quicker."""
POINTS, WIDTH, MEMBERS, VECTORS = 6, 5, 3, 2


def drawn(seed: int, biases: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Layers [3, W, C], output biases [S, C], the same of vectors, inputs [N, 1, C] and targets [N, C]."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, dtype=torch.float64, generator=generator)

    return (
        normal(3, WIDTH, MEMBERS), normal(biases, MEMBERS),
        normal(VECTORS, 3, WIDTH, MEMBERS), normal(VECTORS, biases, MEMBERS),
        normal(POINTS, 1, MEMBERS), normal(POINTS, MEMBERS),
    )  # fmt: skip


def losses(name: str, flat: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Mean squared errors [C] of the parameters [P, C], written as a plain network."""
    weights, biases, outgoing = flat[: 3 * WIDTH].reshape(3, WIDTH, MEMBERS)
    outputs = (PLAIN[name](weights * x + biases) * outgoing).sum(1) + flat[3 * WIDTH :].sum(0)
    return (outputs - y).square().mean(0)


@given(seed=st.integers(0, 10_000), biases=st.sampled_from([0, 1]), name=st.sampled_from(sorted(JETS)))
@settings(deadline=None)
def test_losses_gradients_and_hessian_products_are_autograds(seed: int, biases: int, name: str) -> None:
    layers, shift, along, along_shift, x, y = drawn(seed, biases)
    flat = torch.cat([layers.reshape(-1, MEMBERS), shift]).requires_grad_()
    expected = losses(name, flat, x, y)
    (gradient,) = torch.autograd.grad(expected.sum(), flat, create_graph=True)
    found_losses, found, image, *_ = forward_over_reverse(JETS[name], layers, shift, along, along_shift, x, y)
    torch.testing.assert_close(found_losses, expected.detach())
    torch.testing.assert_close(found, gradient.detach())
    for number in range(VECTORS):
        vector = torch.cat([along[number].reshape(-1, MEMBERS), along_shift[number]])
        (product,) = torch.autograd.grad((gradient * vector).sum(), flat, retain_graph=True)
        torch.testing.assert_close(image[number], product)
    first_losses, first, *_ = reverse(JETS[name], layers, shift, x, y)
    assert torch.equal(first_losses, found_losses) and torch.equal(first, found)


@pytest.mark.parametrize("name", sorted(JETS))
def test_a_jet_is_value_slope_and_curvature(name: str) -> None:
    x = torch.linspace(-3.0, 3.0, 40, dtype=torch.float64).requires_grad_()  # 0 is between two points
    value, slope, curve, kept = JETS[name](x)
    torch.testing.assert_close(value, PLAIN[name](x))
    (first,) = torch.autograd.grad(PLAIN[name](x).sum(), x, create_graph=True)
    torch.testing.assert_close(slope, first)
    second = torch.zeros_like(x) if name == "relu" else torch.autograd.grad(first.sum(), x)[0]
    torch.testing.assert_close(curve, second, atol=1e-12, rtol=1e-9)
    assert kept and all(part.shape == x.shape for part in kept)


def test_there_is_a_jet_for_every_activation() -> None:
    assert set(JETS) == set(ACTIVATIONS) == set(PLAIN)
