"""Gradients of the networks that most claims are about, without a graph: one input, one hidden layer, one output.

A step of such a network is a dozen passes over its activations, and autograd's bookkeeping, its copies and torch's tanh take
two thirds of the time. Here the backward pass is written out. The members' axis comes last, so that sums over points and
neurons add whole rows.

Kernels add up the columns of a row by groups of 64 or of a divisor of it, and those left at its end in another order. For a
member's bits not to tell its place, rows are as long as such groups, and members as many or a power of two.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from spikecheck.problems.activations import ACTIVATIONS, ALIGNMENT
from spikecheck.problems.mlp import MLP


@dataclass(frozen=True, eq=False)
class Shallow:
    """f(x) = sum_w a_w phi(w_w x + b_w), plus a bias where the model has one, under the mean squared error.

    Axes: B members, P parameters, N points, W neurons; C columns, which are B or a few more; M numbers in a row.
    """

    model: MLP
    x: Float[Tensor, "#B N 1"]
    y: Float[Tensor, "#B N 1"]
    members: int

    @staticmethod
    def fits(model: MLP, loss: str) -> bool:
        """Whether such a training is one of these."""
        return len(model.sizes) == 3 and (model.sizes[0], model.sizes[2], loss) == (1, 1, "mse")

    def gradient(self, params: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's loss and its gradient."""
        columns = self._columns(params.T)
        weights, biases, outgoing, *shift = columns.split_with_sizes(self.model.lengths)
        x, y = self._points
        values, slopes, scratch = self._grids
        torch.mul(weights, x, out=values).add_(biases)
        ACTIVATIONS[self.model.activation].with_slope(*self._memory[:2].flatten(1))

        outputs = torch.mul(values, outgoing, out=scratch).sum(1)
        errors = outputs + shift[0] - y if shift else outputs - y
        pull = (errors * (2 / len(x)))[:, None]  # derivative of the loss by the outputs

        torch.mul(values, pull, out=scratch)
        for_outgoing = self._over_points(2)
        slopes.mul_(pull)
        for_biases = self._over_points(1).mul_(outgoing)
        slopes.mul_(x)
        for_weights = self._over_points(1).mul_(outgoing)
        for_shift = [pull.sum(0)] if shift else []
        found = torch.cat([for_weights, for_biases, for_outgoing, *for_shift])
        return errors.square().mean(0)[: self.members], found[:, : self.members].T.contiguous()

    def _over_points(self, part: int) -> Float[Tensor, "W C"]:
        """The sum over points of one part of the memory."""
        neurons = self.model.sizes[1]
        return self._memory[part].sum(0)[: neurons * self._capacity].view(neurons, self._capacity)

    @cached_property
    def _points(self) -> tuple[Float[Tensor, "N 1 #C"], Float[Tensor, "N #C"]]:
        """Inputs and targets, members last."""
        x, y = (part.squeeze(2).T for part in (self.x, self.y))
        shared = len(self.x) == 1
        return (x if shared else self._columns(x))[:, None], y if shared else self._columns(y)

    @cached_property
    def _memory(self) -> Float[Tensor, "3 N M"]:
        """What one step writes and the next writes over."""
        row = ALIGNMENT * math.ceil(self.model.sizes[1] * self._capacity / ALIGNMENT)
        return self.x.new_zeros(3, self.x.shape[1], row)

    @cached_property
    def _grids(self) -> Float[Tensor, "3 N W C"]:
        """That memory as every neuron's value and slope at every point, and room to work in."""
        parts, points, _ = self._memory.shape
        neurons = self.model.sizes[1]
        return self._memory[:, :, : neurons * self._capacity].view(parts, points, neurons, self._capacity)

    @cached_property
    def _capacity(self) -> int:
        """C: the members, and as many more as their number needs."""
        if self.members >= ALIGNMENT:
            return ALIGNMENT * math.ceil(self.members / ALIGNMENT)
        return 1 << (self.members - 1).bit_length()

    def _columns(self, rows: Float[Tensor, "R B"]) -> Float[Tensor, "R C"]:
        """Something of every member, with columns of zeros at the end where there are not enough members."""
        return functional.pad(rows, (0, self._capacity - self.members)).contiguous()
