"""The affine layers of a network: their layout among a member's parameters, and their initialisation."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.core.setting import Setting


@dataclass(frozen=True)
class Layers:
    """The layout of a network's parameters. `pairs` are the numbers of inputs and outputs of every layer, in order.

    Per layer, the weights [incoming, outgoing] come row by row, then the biases. The output layer has biases only with
    `output_bias`. Axes: B members, P parameters, D inputs (D1 = D + 1), W neurons.
    """

    pairs: tuple[tuple[int, int], ...]
    output_bias: bool

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shapes of every layer's weights and biases in their flat order; biases are one row."""
        shapes = [shape for pair in self.pairs for shape in (pair, (1, pair[1]))]
        return tuple(shapes if self.output_bias else shapes[:-1])

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """The number of parameters in each of `shapes`."""
        return tuple(math.prod(shape) for shape in self.shapes)

    @cached_property
    def size(self) -> int:
        """P."""
        return sum(self.lengths)

    def initial(self, setting: Setting, generator: torch.Generator) -> Float[Tensor, " P"]:
        """Independent normal parameters, float64. Settings that differ only in their scales share their draws."""
        draws = torch.randn(self.size, generator=generator, dtype=torch.float64)
        hidden = sum(self.lengths[: 2 * len(self.pairs) - 2])
        input_std, output_std = standard_deviations(setting)
        return torch.cat([draws[:hidden] * input_std, draws[hidden:] * output_std])

    def tensors(self, params: Float[Tensor, "B P"]) -> tuple[list[Tensor], list[Tensor]]:
        """Every layer's weights [B, incoming, outgoing], and its biases [B, 1, outgoing] where it has them; views."""
        parts = params.split_with_sizes(self.lengths, 1)
        tensors = [part.reshape(len(params), *shape) for part, shape in zip(parts, self.shapes, strict=True)]
        return tensors[::2], tensors[1::2]

    def input_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W D1"]:
        """One member's first layer: every neuron's incoming weights, then its bias."""
        weights, biases = self.tensors(params[None])
        return torch.cat([weights[0][0], biases[0][0]]).T


def standard_deviations(setting: Setting) -> tuple[float, float]:
    """Standard deviations at initialisation, of the hidden layers and of the output layer.

    They are init_scale times the setting's own values, or init_scale width^-gamma for both.

    >>> standard_deviations(Setting(width=100, gamma=0.5, init_scale=2.0))
    (0.2, 0.2)
    """
    if setting.input_std is not None and setting.output_std is not None:
        stds = (setting.input_std, setting.output_std)
    else:
        assert setting.gamma is not None
        stds = (setting.width**-setting.gamma,) * 2
    return setting.init_scale * stds[0], setting.init_scale * stds[1]
