"""Gradients and Hessian-vector products of multilayer perceptrons without an autograd graph.

On a few dozen points, autograd's bookkeeping takes more than half of a step. `Shallow` is faster still, for networks with one
input and one output; here there are many inputs and outputs, as with real data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from spikecheck.models.mlp import MLP
from spikecheck.tensors.batched_matmul import aligned, plain_product

_POINTS = 16
"""Points are padded to a multiple of this: then every row of numbers, and every product, begins at a cache line."""
_TOGETHER = 2**17
"""Numbers in one layer of all members, and of all vectors, that are computed at a time: 1 MiB in float64."""


@dataclass(frozen=True)
class _Derivatives:
    """An activation and its derivatives as functions of its values."""

    activate: Callable[[Tensor, Tensor], Tensor]
    """Values from signals and biases. May overwrite the signals."""
    backward: Callable[[Tensor, Tensor], Tensor]
    """The gradient by the signals, from the gradient by the values and the values themselves."""
    slope: Callable[[Tensor], Tensor]
    """The first derivative, from the values."""
    bends: float
    """The second derivative divided by the first derivative and by the value."""


def _relu(signals: Tensor, biases: Tensor) -> Tensor:
    return signals.add_(biases).relu_()


def _through_relu(upstream: Tensor, values: Tensor) -> Tensor:
    return torch.ops.aten.threshold_backward(upstream, values, 0)  # type: ignore[no-any-return]


def _tanh(signals: Tensor, biases: Tensor) -> Tensor:
    # As in `activations`: 2 sigmoid(2x) - 1 takes a fraction of the time of tanh. Here it takes as few passes as possible.
    values = torch.add(2 * biases, signals, alpha=2, out=signals).sigmoid_()
    return torch.add(values.new_tensor(-1.0), values, alpha=2, out=values)


_DERIVATIVES: Mapping[str, _Derivatives] = {
    "tanh": _Derivatives(
        _tanh,
        torch.ops.aten.tanh_backward,
        lambda values: torch.addcmul(values.new_ones(()), values, values, value=-1),
        -2.0,
    ),
    "relu": _Derivatives(_relu, _through_relu, torch.sign, 0.0),
}


@dataclass(frozen=True)
class _Passes:
    """The results of one forward and one backward pass. Lists hold one tensor per layer."""

    losses: Float[Tensor, " B"]
    gradients: Float[Tensor, "B P"]
    weights: list[Tensor]
    signals: list[Tensor]
    """Every layer's inputs."""
    upstreams: list[Tensor]
    """The loss's gradient by every layer's outputs, before the activation."""
    pulled: list[Tensor]
    """The loss's gradient by every layer's inputs, without the first layer's."""


@dataclass(frozen=True, eq=False)
class Layered:
    """A multilayer perceptron under the mean squared error.

    Axes: B members, P parameters, N points, R points with padding, D inputs, O outputs, K vectors.
    """

    model: MLP
    x: Float[Tensor, "#B N D"]
    y: Float[Tensor, "#B N O"]
    members: int

    @staticmethod
    def fits(model: MLP, loss: str) -> bool:
        """Whether this class supports the model and loss. It has no path for matrices with a single row or column."""
        return loss == "mse" and model.activation in _DERIVATIVES and len(model.sizes) > 2 and min(model.sizes) > 1

    def gradient(self, params: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's loss and its gradient."""
        done = [self._passes(params[some], *self._points_of(some)) for some in self._blocks]
        return torch.cat([part.losses for part in done]), torch.cat([part.gradients for part in done])

    def gradient_and_products(
        self, params: Float[Tensor, "B P"], vectors: Float[Tensor, "B K P"]
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], Float[Tensor, "B K P"]]:
        """Every member's loss, its gradient with the bits of `gradient`, and its Hessian times K vectors."""
        losses, gradients, images = [], [], []
        for some in self._blocks:
            done = self._passes(params[some], *self._points_of(some))
            at_once = max(1, _TOGETHER // (len(done.losses) * self._numbers))
            losses.append(done.losses)
            gradients.append(done.gradients)
            images.append(torch.cat([self._images(done, part) for part in torch.split(vectors[some], at_once, 1)], 1))
        return torch.cat(losses), torch.cat(gradients), torch.cat(images)

    def _passes(
        self, params: Float[Tensor, "B P"], inputs: Float[Tensor, "B D R"], targets: Float[Tensor, "#B O R"]
    ) -> _Passes:
        weights, rows = self.model.layers.tensors(params)
        weights, biases = [aligned(matrices) for matrices in weights], [row.mT for row in rows]
        signals = [inputs]
        for incoming, bias in zip(weights[:-1], biases, strict=False):
            signals.append(self._derivatives.activate(plain_product(incoming.mT, signals[-1]), bias))
        outputs = plain_product(weights[-1].mT, signals[-1])
        errors = (outputs + biases[-1] if self.model.output_bias else outputs) - targets
        errors[:, :, self._count :] = 0  # columns that only pad

        upstream = errors * (2 / self._errors)
        upstreams, pulled = [upstream], []
        parts = [upstream.sum(2)] if self.model.output_bias else []
        for layer in range(len(weights) - 1, -1, -1):
            parts.append(_over_points(signals[layer], upstream).flatten(1))
            if layer:
                pulled.append(plain_product(weights[layer], upstream))
                upstream = self._derivatives.backward(pulled[-1], signals[layer])
                upstreams.append(upstream)
                parts.append(upstream.sum(2))
        gradients = torch.cat(parts[::-1], 1)
        losses = errors.square().sum((1, 2)) / self._errors
        return _Passes(losses, gradients, weights, signals, upstreams[::-1], pulled[::-1])

    def _images(self, done: _Passes, vectors: Float[Tensor, "B K P"]) -> Float[Tensor, "B K P"]:
        """Both passes differentiated along every vector (Pearlmutter 1994), with twice as many matrix products."""
        ways, ways_of_biases = (
            [part.reshape(*vectors.shape[:2], *part.shape[1:]) for part in parts]
            for parts in self.model.layers.tensors(vectors.flatten(0, 1))
        )
        last = len(ways) - 1
        moved: list[Tensor] = []  # how every layer's outputs move: [B, K, W, R]
        slopes = [self._derivatives.slope(values)[:, None] for values in done.signals[1:]]
        for layer, way in enumerate(ways):
            motion = _each_by(way.mT, done.signals[layer])
            if layer:  # the network's inputs do not change
                motion += _by_each(done.weights[layer].mT, moved[-1])
            if layer < len(ways_of_biases):
                motion += ways_of_biases[layer].mT
            moved.append(motion if layer == last else motion.mul_(slopes[layer]))

        moved[last][..., self._count :] = 0
        upstream = moved[last] * (2 / self._errors)
        parts = [upstream.sum(3)] if self.model.output_bias else []
        for layer in range(last, -1, -1):
            wide = _over_points(done.signals[layer], upstream.flatten(1, 2))
            image = wide.reshape(*wide.shape[:2], *upstream.shape[1:3]).movedim(2, 1)
            if layer:
                tall = _over_points(moved[layer - 1].flatten(1, 2), done.upstreams[layer])
                image = image + tall.reshape(image.shape)
            parts.append(image.flatten(2))
            if layer:
                upstream = _by_each(done.weights[layer], upstream)
                upstream += _each_by(ways[layer], done.upstreams[layer])
                upstream *= slopes[layer - 1]
                if self._derivatives.bends:
                    bent = (done.signals[layer] * done.pulled[layer - 1])[:, None]
                    upstream.addcmul_(bent, moved[layer - 1], value=self._derivatives.bends)
                parts.append(upstream.sum(3))
        return torch.cat(parts[::-1], 2)

    @property
    def _derivatives(self) -> _Derivatives:
        return _DERIVATIVES[self.model.activation]

    @property
    def _count(self) -> int:
        """N."""
        return self.x.shape[1]

    @property
    def _errors(self) -> int:
        """The number of errors whose mean is a member's loss."""
        return self.y[0].numel()

    @cached_property
    def _points(self) -> tuple[Float[Tensor, "B D R"], Float[Tensor, "#B O R"]]:
        """A block's inputs and all targets, padded with zeros to a multiple of _POINTS and aligned for products."""
        x, y = (functional.pad(part.mT, (0, -part.shape[1] % _POINTS)) for part in (self.x, self.y))
        return aligned(x.expand(self._blocks[0].stop, -1, -1) if len(x) == 1 else x), y

    def _points_of(self, some: slice) -> tuple[Float[Tensor, "B D R"], Float[Tensor, "#B O R"]]:
        """The points of some members; the same for every block where all members share them."""
        x, y = self._points
        return x[: some.stop - some.start] if len(self.x) == 1 else x[some], y if len(y) == 1 else y[some]

    @cached_property
    def _blocks(self) -> list[slice]:
        """Blocks of members whose numbers of one layer fit into a core's cache; an accelerator computes all at once."""
        together = max(1, _TOGETHER // self._numbers) if self.x.device.type == "cpu" else self.members
        size = min(self.members, together)
        return [slice(first, min(first + size, self.members)) for first in range(0, self.members, size)]

    @property
    def _numbers(self) -> int:
        """Numbers in the widest layer's inputs or outputs, for one member."""
        return self.x.shape[1] * max(self.model.sizes)


def _each_by(left: Float[Tensor, "B K N M"], right: Float[Tensor, "B M O"]) -> Float[Tensor, "B K N O"]:
    """Each of a member's K matrices times the member's other matrix."""
    tall = plain_product(left.flatten(1, 2), right)
    return tall.reshape(*left.shape[:3], right.shape[2])


def _by_each(left: Float[Tensor, "B N M"], right: Float[Tensor, "B K M O"]) -> Float[Tensor, "B K N O"]:
    """A member's matrix, which is small, times each of its K other matrices."""
    members, vectors = right.shape[:2]
    many = plain_product(left.repeat_interleave(vectors, 0), right.flatten(0, 1))
    return many.reshape(members, vectors, *many.shape[1:])


def _over_points(left: Float[Tensor, "B N R"], right: Float[Tensor, "B M R"]) -> Float[Tensor, "B N M"]:
    """Products summed over the points. MKL takes half as long for few rows and many columns as the other way round."""
    if right.shape[1] < left.shape[1]:
        return plain_product(right, left.mT).mT
    return plain_product(left, right.mT)
