"""Multilayer perceptrons whose members are computed together."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.models.activations import ACTIVATIONS
from spikecheck.models.layers import Layers
from spikecheck.tensors.batched_matmul import product
from spikecheck.tensors.seeding import generator_of


@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron. `sizes` are the numbers of inputs, of neurons in every hidden layer, and of outputs.

    Axes: B members, P parameters, N points, D inputs (D1 = D + 1), O outputs, W neurons.

    >>> MLP((1, 20, 1), "tanh").size
    60
    """

    sizes: tuple[int, ...]
    activation: str
    output_bias: bool = False

    @cached_property
    def layers(self) -> Layers:
        """The layout of the parameters."""
        return Layers(tuple(pairwise(self.sizes)), self.output_bias)

    @property
    def size(self) -> int:
        """P."""
        return self.layers.size

    def initial(self, setting: Setting, seed: int) -> Float[Tensor, " P"]:
        """Independent normal parameters, float64. Settings that differ only in their scales share their draws."""
        return self.layers.initial(setting, generator_of(seed, "mlp", self.sizes, self.output_bias))

    def outputs(self, params: Float[Tensor, "B P"], x: Float[Tensor, "#B N D"]) -> Float[Tensor, "B N O"]:
        """Every member's outputs at its points, or at points that all of them share."""
        activate = ACTIVATIONS[self.activation].differentiable
        weights, biases = self.layers.tensors(params)
        signal = x.expand(len(params), -1, -1)
        for incoming, bias in zip(weights[:-1], biases, strict=False):
            signal = activate(product(signal, incoming) + bias)
        outputs = product(signal, weights[-1])
        return outputs + biases[-1] if self.output_bias else outputs

    def input_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W D1"]:
        """Every first-layer neuron's incoming weights, then its bias; [0, 0] where there is no hidden layer."""
        return self.layers.input_weights(params) if len(self.sizes) > 2 else params.new_zeros(0, 0)

    def output_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W O"]:
        """Every first-layer neuron's outgoing weights; [0, 0] where there is no hidden layer."""
        if len(self.sizes) < 3:
            return params.new_zeros(0, 0)
        weights, _ = self.layers.tensors(params[None])
        return weights[1][0]
