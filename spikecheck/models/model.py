"""What computes the outputs: the interface, and the model that a setting names."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.models.conv import Conv, shapes
from spikecheck.models.mlp import MLP
from spikecheck.models.torch_module import FromModule, from_module


@runtime_checkable
class Model(Protocol):
    """Outputs as a function of flat parameters. Axes: B members, P parameters, N points, D inputs, O outputs, W neurons.

    `MLP`, `Conv` and `FromModule` are those there are. All can be differentiated twice. A member's numbers depend on its own
    parameters and points alone, on the CPU to the last bit (see `FromModule` for its limits).
    """

    @property
    def size(self) -> int:
        """P."""

    def initial(self, setting: Setting, seed: int) -> Float[Tensor, " P"]:
        """A member's first parameters: float64, on the CPU, from its own generator."""

    def outputs(self, params: Float[Tensor, "B P"], x: Float[Tensor, "#B N D"]) -> Float[Tensor, "B N O"]:
        """Every member's outputs at its points, or at points that all of them share."""

    def input_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W D1"]:
        """First-layer neurons' incoming weights, the bias last; [0, 0] where there is no such layer."""

    def output_weights(self, params: Float[Tensor, " P"]) -> Float[Tensor, "W O"]:
        """First-layer neurons' outgoing weights; [0, 0] where there is no such layer."""


def model_of(setting: Setting, inputs: int, outputs: int) -> Model:
    """The setting's model between so many inputs and outputs."""
    if setting.model == "conv":
        return Conv(shapes(setting), outputs, setting.activation, setting.output_bias)
    if setting.model not in ("mlp", "linear"):
        return from_module(setting, inputs, outputs)
    hidden = [setting.width] * setting.depth if setting.model == "mlp" else []
    sizes = (inputs, *hidden, outputs)
    return MLP(sizes, setting.activation, setting.output_bias)


__all__ = ["MLP", "Conv", "FromModule", "Model", "model_of"]
