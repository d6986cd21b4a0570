"""Multilayer perceptrons whose members are computed together."""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.problems.activations import ACTIVATIONS
from spikecheck.problems.products import product
from spikecheck.problems.seeding import generator_of


@dataclass(frozen=True)
class MLP:
    """`sizes` are the numbers of inputs, of every hidden layer's neurons, and of outputs.

    The parameters' flat order is, per layer, the weights [incoming, outgoing] row by row, then the biases; the output
    layer has biases only where `output_bias`. Axes: B members, P parameters, N points, D inputs, O outputs, W neurons.

    >>> MLP((1, 20, 1), "tanh").size
    60
    """

    sizes: tuple[int, ...]
    activation: str
    output_bias: bool = False

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Of every layer's weights and biases in their flat order; biases are one row."""
        pairs = list(pairwise(self.sizes))
        shapes = [shape for pair in pairs for shape in (pair, (1, pair[1]))]
        return tuple(shapes if self.output_bias else shapes[:-1])

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """How many parameters each of `shapes` takes."""
        return tuple(math.prod(shape) for shape in self.shapes)

    @cached_property
    def size(self) -> int:
        """P."""
        return sum(self.lengths)

    def initial(self, setting: Setting, seed: int) -> Float[Tensor, " P"]:
        """Independent normal numbers, float64. Settings that differ in nothing but their scales share their draws."""
        generator = generator_of(seed, "mlp", self.sizes, self.output_bias)
        draws = torch.randn(self.size, generator=generator, dtype=torch.float64)
        hidden = sum(self.lengths[: 2 * len(self.sizes) - 4])
        input_std, output_std = standard_deviations(setting)
        return torch.cat([draws[:hidden] * input_std, draws[hidden:] * output_std])

    def outputs(self, params: Float[Tensor, "B P"], x: Float[Tensor, "#B N D"]) -> Float[Tensor, "B N O"]:
        """Every member's outputs at its points, or at points that all of them share."""
        activate = ACTIVATIONS[self.activation].differentiable
        weights, biases = self._layers(params)
        signal = x.expand(len(params), -1, -1)
        for incoming, bias in zip(weights[:-1], biases, strict=False):
            signal = activate(product(signal, incoming) + bias)
        found = product(signal, weights[-1])
        return found + biases[-1] if self.output_bias else found

    def input_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W D1"]:
        """Every first-layer neuron's incoming weights, its bias last; [0, 0] where there is no hidden layer."""
        if len(self.sizes) < 3:
            return params.new_zeros(0, 0)
        weights, biases = self._layers(params[None])
        return torch.cat([weights[0][0], biases[0][0]]).T

    def output_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W O"]:
        """Every first-layer neuron's outgoing weights; [0, 0] where there is no hidden layer."""
        if len(self.sizes) < 3:
            return params.new_zeros(0, 0)
        weights, _ = self._layers(params[None])
        return weights[1][0]

    def _layers(self, params: Float[Tensor, "B P"]) -> tuple[list[Tensor], list[Tensor]]:
        """Every layer's weights [B, incoming, outgoing], and its biases [B, 1, outgoing] where it has them; views."""
        parts = params.split_with_sizes(self.lengths, 1)
        tensors = [part.reshape(len(params), *shape) for part, shape in zip(parts, self.shapes, strict=True)]
        return tensors[::2], tensors[1::2]


def standard_deviations(setting: Setting) -> tuple[float, float]:
    """Of the hidden layers' weights and biases, and of the output layer's: as given, or width^-gamma for both.

    >>> standard_deviations(Setting(width=100, gamma=0.5, init_scale=2.0))
    (0.2, 0.2)
    """
    if setting.input_std is not None and setting.output_std is not None:
        stds = (setting.input_std, setting.output_std)
    else:
        assert setting.gamma is not None
        stds = (setting.width**-setting.gamma,) * 2
    return setting.init_scale * stds[0], setting.init_scale * stds[1]
