"""A shallow network's passes as plain functions of tensors, members last, which `tensors.compile` compiles.

Each also returns intermediate results of its activation, which no caller reads. Returning them makes the compiled kernel keep
them in memory between its loops; otherwise it would compute them twice, which takes longer.

Axes: N points, W neurons, C columns of one member each, K vectors per member, S output biases: one or none.
"""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.tensors.normal_cdf import normal

Jet = tuple[Tensor, Tensor, Tensor, tuple[Tensor, ...]]
"""Value, first and second derivative, and the intermediate results to keep."""


def _tanh(x: Tensor) -> Jet:
    # As in `activations`: sigmoid takes a fraction of the time of tanh.
    value = 2 * torch.sigmoid(2 * x) - 1
    slope = 1 - value * value
    return value, slope, -2 * value * slope, (value,)


def _relu(x: Tensor) -> Jet:
    value = torch.relu(x)
    return value, torch.sign(value), torch.zeros_like(value), (value,)


def _gelu(x: Tensor) -> Jet:
    below, density = normal(x)
    return x * below, below + x * density, density * (2 - x * x), (below, density)


def _xtanh(x: Tensor) -> Jet:
    value, slope, curve, kept = _tanh(x)
    return x * value, value + x * slope, 2 * slope + x * curve, kept


JETS: Mapping[str, Callable[[Tensor], Jet]] = {"tanh": _tanh, "relu": _relu, "gelu": _gelu, "xtanh": _xtanh}


def reverse(
    jet: Callable[[Tensor], Jet],
    layers: Float[Tensor, "3 W C"],
    shift: Float[Tensor, "S C"],
    x: Float[Tensor, "N 1 C"],
    y: Float[Tensor, "N C"],
) -> tuple[Tensor, ...]:
    """Losses [C], gradients [P, C], and kept intermediate results. `layers` are weights, biases and outgoing weights."""
    weights, biases, outgoing = layers.unbind(0)
    values, slopes, _, kept = jet(weights * x + biases)
    errors = (values * outgoing).sum(1) + shift.sum(0) - y
    pull = (errors * (2 / x.shape[0]))[:, None]
    back = slopes * pull
    parts = [(back * x).sum(0) * outgoing, back.sum(0) * outgoing, (values * pull).sum(0), pull.sum(0)[: len(shift)]]
    return errors.square().mean(0), torch.cat(parts), *kept


def forward_over_reverse(
    jet: Callable[[Tensor], Jet],
    layers: Float[Tensor, "3 W C"],
    shift: Float[Tensor, "S C"],
    along: Float[Tensor, "K 3 W C"],
    along_shift: Float[Tensor, "K S C"],
    x: Float[Tensor, "N 1 C"],
    y: Float[Tensor, "N C"],
) -> tuple[Tensor, ...]:
    """Losses [C], gradients [P, C], their derivatives along K vectors of every member [K, P, C], and kept results."""
    weights, biases, outgoing = layers.unbind(0)
    ways, ways_of_biases, ways_out = along[:, :, None].unbind(1)  # [K, 1, W, C]: the points come second
    values, slopes, curves, kept = jet(weights * x + biases)
    errors = (values * outgoing).sum(1) + shift.sum(0) - y
    pull = (errors * (2 / x.shape[0]))[:, None]
    back = slopes * pull
    sums = (back * x).sum(0), back.sum(0)

    signals_moved = ways * x + ways_of_biases
    values_moved, slopes_moved = slopes * signals_moved, curves * signals_moved
    errors_moved = (values_moved * outgoing + values * ways_out).sum(2) + along_shift.sum(1)[:, None]
    pull_moved = (errors_moved * (2 / x.shape[0]))[:, :, None]
    back_moved = slopes_moved * pull + slopes * pull_moved
    sums_moved = (back_moved * x).sum(1), back_moved.sum(1)

    gradient = [*(part * outgoing for part in sums), (values * pull).sum(0), pull.sum(0)[: len(shift)]]
    image = [
        *(moved * outgoing + still * ways_out[:, 0] for moved, still in zip(sums_moved, sums, strict=True)),
        (values_moved * pull + values * pull_moved).sum(1),
        pull_moved.sum(1)[:, : len(shift)],
    ]
    return errors.square().mean(0), torch.cat(gradient), torch.cat(image, 1), *kept
