"""The interface of models, and the model that a setting names."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.models.conv import Conv
from spikecheck.models.mlp import MLP
from spikecheck.models.sizes import perceptron, shapes
from spikecheck.models.torch_module import FromModule, from_module


@runtime_checkable
class Model(Protocol):
    """Outputs as a function of flat parameters. Axes: B members, P parameters, N points, D inputs, O outputs, W neurons.

    `MLP`, `Conv` and `FromModule` are the implementations. All can be differentiated twice. A member's outputs depend only on
    its own parameters and points, on the CPU to the last bit (see `FromModule` for its limits).
    """

    @property
    def size(self) -> int:
        """P."""

    def initial(self, setting: Setting, seed: int) -> Float[Tensor, " P"]:
        """A member's initial parameters: float64, on the CPU, from its own generator."""

    def outputs(self, params: Float[Tensor, "B P"], x: Float[Tensor, "#B N D"]) -> Float[Tensor, "B N O"]:
        """Every member's outputs at its points, or at points that all of them share."""

    def input_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W D1"]:
        """The first layer's neurons' incoming weights, then the bias; [0, 0] where there is no such layer."""

    def output_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W O"]:
        """The first layer's neurons' outgoing weights; [0, 0] where there is no such layer."""


def model_of(setting: Setting, inputs: int, outputs: int) -> Model:
    """The setting's model with so many inputs and outputs.

    Raises:
        SettingError: when the model does not fit the problem, or a user's module cannot be trained.
    """
    if setting.model == "conv":
        return Conv(shapes(setting), outputs, setting.activation, setting.output_bias)
    if setting.model not in ("mlp", "linear"):
        return from_module(setting, inputs, outputs)
    return MLP(perceptron(setting, inputs, outputs), setting.activation, setting.output_bias)


__all__ = ["MLP", "Conv", "FromModule", "Model", "model_of"]
