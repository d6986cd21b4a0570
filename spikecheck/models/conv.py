"""Small convolutional networks whose members are computed together."""

from dataclasses import dataclass
from functools import cached_property

from jaxtyping import Float
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.models.activations import ACTIVATIONS
from spikecheck.models.layers import Layers
from spikecheck.models.patches import patches
from spikecheck.models.sizes import Shape, conv_layers
from spikecheck.tensors.batched_matmul import product
from spikecheck.tensors.seeding import generator_of


@dataclass(frozen=True)
class Conv:
    """Convolutions with kernel 3 and stride 2, each followed by the activation, and one linear layer at the end.

    `shapes` are those of the inputs and of every convolution's outputs. Among the parameters (see `Layers`), a filter's
    incoming weights are ordered by channel, then by row; so are the inputs of the linear layer.
    Axes: B members, P parameters, N points, D inputs, O outputs, W filters of the first convolution.

    >>> Conv(((1, 8, 8), (4, 4, 4), (4, 2, 2)), 10, "tanh").size
    348
    """

    shapes: tuple[Shape, ...]
    classes: int
    activation: str
    output_bias: bool = False

    @cached_property
    def layers(self) -> Layers:
        """The layout of the parameters."""
        return Layers(conv_layers(self.shapes, self.classes), self.output_bias)

    @property
    def size(self) -> int:
        """P."""
        return self.layers.size

    def initial(self, setting: Setting, seed: int) -> Float[Tensor, " P"]:
        """Independent normal parameters, float64. Settings that differ only in their scales share their draws."""
        return self.layers.initial(setting, generator_of(seed, "conv", self.shapes, self.classes, self.output_bias))

    def outputs(self, params: Float[Tensor, "B P"], x: Float[Tensor, "#B N D"]) -> Float[Tensor, "B N O"]:
        """Every member's outputs at its points, or at points that all of them share."""
        activate = ACTIVATIONS[self.activation].differentiable
        weights, biases = self.layers.tensors(params)
        signal = x.mT
        for before, filters, bias in zip(self.shapes, weights[:-1], biases, strict=False):
            seen = patches(signal.reshape(len(signal), *before, x.shape[1])).flatten(4).flatten(1, 3)
            numbers = activate(product(filters.mT, seen.expand(len(params), -1, -1)) + bias.mT)
            signal = numbers.reshape(len(params), -1, x.shape[1])
        outputs = product(weights[-1].mT, signal).mT
        return outputs + biases[-1] if self.output_bias else outputs

    def input_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W D1"]:
        """Every filter of the first convolution; the bias is the last number of a row."""
        return self.layers.input_weights(params)

    def output_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W O"]:
        """An empty tensor [0, 0]: a filter has many outgoing weights per output."""
        return params.new_zeros(0, 0)
