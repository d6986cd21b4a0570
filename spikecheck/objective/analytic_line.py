"""The gradient of a linear model with one input and one output, without an autograd graph.

Such a step has so little arithmetic that autograd's bookkeeping takes two thirds of it. The operations are those that autograd
makes, in the same order, so that the bits are the same.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.models.mlp import MLP


@dataclass(frozen=True, eq=False)
class Line:
    """A linear model under the mean squared error.

    Axes: B members, P parameters (a slope, and a bias where the model has one), N points.
    """

    model: MLP
    x: Float[Tensor, "#B N 1"]
    y: Float[Tensor, "#B N 1"]
    members: int

    @staticmethod
    def fits(model: MLP, loss: str) -> bool:
        """Whether this class supports the model and loss."""
        return loss == "mse" and model.sizes == (1, 1)

    def gradient(self, params: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's loss and its gradient."""
        slope, *bias = params.unbind(1)
        outputs = self.x[:, :, 0] * slope[:, None]
        errors = (outputs + bias[0][:, None] if bias else outputs) - self.y[:, :, 0]
        upstream = (2 * errors) * (1 / errors.shape[1])
        parts = [(upstream * self.x[:, :, 0]).sum(1), *([upstream.sum(1)] if bias else [])]
        return errors.square().mean(1), torch.stack(parts, 1)
