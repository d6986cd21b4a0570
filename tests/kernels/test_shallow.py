"""One hidden layer's kernels against formulas written out in NumPy: on a GPU, or by Triton's interpreter on the CPU."""

import math
import os

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import ndtr

pytest.importorskip("triton", reason="Triton has no build for this platform")
from spikecheck.kernels import shallow as kernels

DEVICE = "cpu" if os.environ["TRITON_INTERPRET"] == "1" else "cuda"
ACTIVATIONS = ("tanh", "relu", "gelu", "xtanh")
Numbers = NDArray[np.float64]


def activated(name: str, z: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Value and first two derivatives, differentiated by hand."""
    t, s = np.tanh(z), 1 - np.tanh(z) ** 2
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return {
        "tanh": (t, s, -2 * t * s),
        "xtanh": (z * t, t + z * s, 2 * s - 2 * z * t * s),
        "relu": (np.maximum(z, 0), (z > 0).astype(float), 0 * z),
        "gelu": (z * ndtr(z), ndtr(z) + z * density, (2 - z * z) * density),
    }[name]


def by_hand(name: str, theta: Numbers, x: Numbers, y: Numbers, bias: bool) -> tuple[float, Numbers, Numbers]:
    """Mean squared error of one member, its gradient [P] and its whole Hessian [P, P]."""
    width = (len(theta) - bias) // 3
    w, b, v = theta[: 3 * width].reshape(3, width)
    loss, gradient, hessian = 0.0, np.zeros_like(theta), np.zeros((len(theta), len(theta)))
    for here, wanted in zip(x, y, strict=True):
        value, slope, curve = activated(name, w * here + b)
        error = float(v @ value) + (theta[-1] if bias else 0.0) - wanted
        first = np.concatenate([v * slope * here, v * slope, value, [1.0] * bias])
        second = np.zeros_like(hessian)
        for k in range(width):
            at = [k, width + k, 2 * width + k]
            bent = v[k] * curve[k]
            second[np.ix_(at, at)] = [
                [bent * here * here, bent * here, slope[k] * here],
                [bent * here, bent, slope[k]],
                [slope[k] * here, slope[k], 0.0],
            ]
        loss += error**2 / len(x)
        gradient += 2 * error * first / len(x)
        hessian += 2 * (np.outer(first, first) + error * second) / len(x)
    return loss, gradient, hessian


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_losses_gradients_and_products_are_the_formulas(name: str, bias: bool) -> None:
    """Three members of three neurons: lanes and programs without a member or a neuron must add nothing."""
    drawn = np.random.default_rng(3)
    members, width, points, vectors = 3, 3, 5, 2
    size = 3 * width + bias
    theta, x, y = drawn.normal(size=(members, size)), drawn.normal(size=points), drawn.normal(size=(members, points))
    along = drawn.normal(size=(members, vectors, size))
    on = lambda part: torch.tensor(part, dtype=torch.float64, device=DEVICE)  # noqa: E731
    params, losses, gradients = on(theta), on(np.full(members, 7.0)), on(np.full((members, size), 7.0))
    images = on(np.full(along.shape, 7.0))
    sizes = {"x_hop": 0, "y_hop": points, "members": members, "points": points, "width": width, "size": size}
    shape = {"GROUP": 2, "GROUPS": 2, "TOGETHER": 2, "BIAS": bias, "ACTIVATION": name}
    arrays = {"x": on(x), "y": on(y)}
    kernels.gradient[(2,)](params, losses, gradients, **arrays, **sizes, **shape)
    apart = losses.clone(), gradients.clone()
    kernels.products[(2, vectors)](params, on(along), losses, gradients, images, **arrays, **sizes, **shape)
    for member in range(members):
        loss, slope, hessian = by_hand(name, theta[member], x, y[member], bias)
        for found in (apart, (losses, gradients)):
            assert float(found[0][member]) == pytest.approx(loss, rel=1e-12)
            np.testing.assert_allclose(found[1][member].cpu().numpy(), slope, rtol=1e-11, atol=1e-12)
        expected = along[member] @ hessian
        np.testing.assert_allclose(images[member].cpu().numpy(), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.filterwarnings("ignore:overflow")  # NumPy's, which interprets
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_saturated_neuron_has_its_limit_and_nan_stays_nan(name: str) -> None:
    """exp(2000) is infinite, yet tanh(1000) is 1; and a lost member must be seen to be lost."""
    theta = torch.tensor([[1000.0, 0.0, 1.0], [-1000.0, 0.0, 1.0], [math.nan, 0.0, 1.0]], device=DEVICE).double()
    losses, gradients = theta.new_empty(3), torch.empty_like(theta)
    one = theta.new_ones(1, 1)
    kernels.gradient[(3,)](
        theta, losses, gradients, x=one, y=one * 0, x_hop=0, y_hop=0, members=3, points=1, width=1, size=3,
        GROUP=1, GROUPS=1, TOGETHER=1, BIAS=False, ACTIVATION=name,
    )  # fmt: skip
    limits = {"tanh": (1.0, 1.0), "relu": (1e6, 0.0), "gelu": (1e6, 0.0), "xtanh": (1e6, 1e6)}[name]
    assert losses[:2].tolist() == pytest.approx(limits)
    assert math.isnan(losses[2])
