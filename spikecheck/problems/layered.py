"""Gradients of multilayer perceptrons without a graph: what autograd would do, in its order and to its bits.

Of a step on a few dozen points autograd's bookkeeping is more than half. `Shallow` goes further for networks of one input and
one output; here the inputs and outputs are many, as on real data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.problems.activations import ACTIVATIONS
from spikecheck.problems.mlp import MLP
from spikecheck.problems.products import aligned, plain_product

Backward = Callable[[Tensor, Tensor], Tensor]
"""From what comes back to an activation's values, and the values, to what goes back to its signals."""


def _through_relu(upstream: Tensor, values: Tensor) -> Tensor:
    return torch.ops.aten.threshold_backward(upstream, values, 0)  # type: ignore[no-any-return]


_BACKWARD: Mapping[str, Backward] = {"tanh": torch.ops.aten.tanh_backward, "relu": _through_relu}


@dataclass(frozen=True, eq=False)
class Layered:
    """A multilayer perceptron under the mean squared error.

    Axes: B members, P parameters, N points, D inputs, O outputs.
    """

    model: MLP
    x: Float[Tensor, "#B N D"]
    y: Float[Tensor, "#B N O"]
    members: int

    @staticmethod
    def fits(model: MLP, loss: str) -> bool:
        """Whether such a training is one of these: with none of the thin matrices that are multiplied in another way."""
        return loss == "mse" and model.activation in _BACKWARD and len(model.sizes) > 2 and min(model.sizes) > 1

    def gradient(self, params: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's loss and its gradient."""
        weights, biases = self.model.layers.tensors(params)
        activate = ACTIVATIONS[self.model.activation].differentiable
        signals = [self._inputs]
        for incoming, bias in zip(weights[:-1], biases, strict=False):
            signals.append(activate(plain_product(signals[-1], incoming) + bias))
        outputs = plain_product(signals[-1], weights[-1])
        errors = (outputs + biases[-1] if self.model.output_bias else outputs) - self.y

        upstream = errors * 2 * (1 / errors[0].numel())
        parts = [upstream.sum(1)] if self.model.output_bias else []
        for layer in range(len(weights) - 1, -1, -1):
            parts.append(plain_product(signals[layer].mT, upstream).flatten(1))
            if layer:
                pulled = plain_product(upstream, weights[layer].mT)
                upstream = _BACKWARD[self.model.activation](pulled, signals[layer])
                parts.append(upstream.sum(1))
        return errors.square().mean((1, 2)), torch.cat(parts[::-1], 1)

    @cached_property
    def _inputs(self) -> Float[Tensor, "B N D"]:
        """Every member's inputs, laid out once as every product would lay them out again."""
        return aligned(self.x.expand(self.members, -1, -1))
