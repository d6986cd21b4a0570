"""Gradients and Hessians of networks with one input, one hidden layer and one output, without an autograd graph.

Most claims are about such networks. A step is a dozen passes over the activations, and autograd's bookkeeping, its copies and
torch's tanh take two thirds of the time. Here the backward pass is written out. The members' axis comes last, so that sums
over points and neurons add whole rows.

Kernels take 64 numbers at a time, or a smaller power of two, and round those left over at the end of a row differently. So
members are padded to a multiple of 64 or to a power of two: every column is then handled by the same part of a kernel, and a
member's bits do not depend on its place.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from spikecheck.models.activations import ACTIVATIONS
from spikecheck.models.mlp import MLP
from spikecheck.tensors.batched_matmul import plain_product

_GROUP = 64


@dataclass(frozen=True, eq=False)
class Shallow:
    """f(x) = sum_w a_w phi(w_w x + b_w), plus a bias where the model has one, under the mean squared error.

    Axes: B members, P parameters, N points, W neurons, C columns: the members and padding.
    """

    model: MLP
    x: Float[Tensor, "#B N 1"]
    y: Float[Tensor, "#B N 1"]
    members: int

    @staticmethod
    def fits(model: MLP, loss: str) -> bool:
        """Whether this class supports the model and loss."""
        return len(model.sizes) == 3 and (model.sizes[0], model.sizes[2], loss) == (1, 1, "mse")

    def gradient(self, params: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's loss and its gradient."""
        columns = self._columns(params.T)
        weights, biases, outgoing, *shift = columns.split_with_sizes(self.model.layers.lengths)
        x, y = self._points
        values, slopes, scratch = self._memory
        torch.mul(weights, x, out=values).add_(biases)
        ACTIVATIONS[self.model.activation].with_slope(values, slopes)

        outputs = torch.mul(values, outgoing, out=scratch).sum(1)
        errors = outputs + shift[0] - y if shift else outputs - y
        pull = (errors * (2 / len(x)))[:, None]  # derivative of the loss with respect to the outputs

        for_outgoing = torch.mul(values, pull, out=scratch).sum(0)
        for_biases = slopes.mul_(pull).sum(0).mul_(outgoing)
        for_weights = slopes.mul_(x).sum(0).mul_(outgoing)
        for_shift = [pull.sum(0)] if shift else []
        gradients = torch.cat([for_weights, for_biases, for_outgoing, *for_shift])
        return errors.square().mean(0)[: self.members], gradients[:, : self.members].T.contiguous()

    def hessians(self, params: Float[Tensor, "B P"]) -> Float[Tensor, "B P P"]:
        """Every member's Hessian: 2/N sum_n (J_n J_n' + e_n f_n''), where f_n'' couples a neuron's own parameters only."""
        weights, biases, outgoing, *shift = (
            part[:, None] for part in params.split_with_sizes(self.model.layers.lengths, 1)
        )
        value, slope, curve = ACTIVATIONS[self.model.activation].jet(self.x * weights + biases)
        outputs = (value * outgoing).sum(2, keepdim=True)
        errors = (outputs + shift[0] if shift else outputs) - self.y

        by_bias = slope * outgoing
        jacobian = torch.cat([by_bias * self.x, by_bias, value, *(torch.ones_like(errors) for _ in shift)], 2)
        hessians = plain_product(jacobian.mT.contiguous(), jacobian)
        bent, tilted = errors * curve * outgoing, errors * slope
        blocks = {
            (0, 0): bent * self.x * self.x,
            (0, 1): bent * self.x,
            (1, 1): bent,
            (0, 2): tilted * self.x,
            (1, 2): tilted,
        }
        width = self.model.sizes[1]
        for (row, column), block in blocks.items():
            coupling = block.sum(1)
            for one, other in {(row, column), (column, row)}:
                part = hessians[:, one * width : (one + 1) * width, other * width : (other + 1) * width]
                part.diagonal(dim1=1, dim2=2).add_(coupling)
        return hessians.mul_(2 / self.x.shape[1])

    @cached_property
    def _points(self) -> tuple[Float[Tensor, "N 1 #C"], Float[Tensor, "N #C"]]:
        """Inputs and targets, members last."""
        x, y = (part.squeeze(2).T for part in (self.x, self.y))
        shared = len(self.x) == 1
        return (x if shared else self._columns(x))[:, None], y if shared else self._columns(y)

    @cached_property
    def _memory(self) -> Float[Tensor, "3 N W C"]:
        """Memory for every neuron's value and slope at every point, and a workspace; every step overwrites it."""
        return self.x.new_empty(3, self.x.shape[1], self.model.sizes[1], self._capacity)

    @cached_property
    def _capacity(self) -> int:
        """C: the number of members, padded."""
        if self.members > _GROUP:
            return -(-self.members // _GROUP) * _GROUP
        return 1 << (self.members - 1).bit_length()

    def _columns(self, rows: Float[Tensor, "*K R B"]) -> Float[Tensor, "*K R C"]:
        """The rows with members last, padded with columns of zeros."""
        missing = self._capacity - self.members
        return (functional.pad(rows, (0, missing)) if missing else rows).contiguous()
