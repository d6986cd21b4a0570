"""Curvature of any torch model's loss, by Hessian products alone: along directions, and at its largest.

Nothing of the model changes: its parameters and their gradients stay, buffers are cloned before each forward pass and put
back, and random generators are returned to where they were. Dropout draws the same masks in every product, those of the
training step where its random state is given (not in attention's own dropout on CUDA, whose fast kernels draw otherwise).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from spikecheck.core.errors import SettingError
from spikecheck.curvature.hessian import LocalCurvature, gradient_curvature
from spikecheck.tensors.random_state import RandomState, random_state, random_state_kept

Loss = Callable[[Any], Tensor]
"""The loss of a batch at the model's present parameters: one number."""


@final
class ModelCurvature(LocalCurvature):
    """Loss, gradient and Hessian of one model on some micro-batches: B = 1 member of P parameters, those that are trained.

    A kernel of your own counts as linear where its backward pass is not made of torch's operations and does not say so;
    `torch.autograd.gradgradcheck` tells.

    The loss is the micro-batches' weighted mean. With one micro-batch its graph is kept; with more, every product computes
    theirs again one after the other, so that memory does not grow with their number.
    """

    def __init__(self, passes: "_Passes", scale: Tensor | None = None, decay: Tensor | None = None) -> None:
        """Made by `model_curvature`. `scale` is P^-1/2, `decay` what is added to the Hessian's diagonal; both [1, P]."""
        self._passes, self._scale, self._decay = passes, scale, decay
        self.losses = passes.loss
        self.gradients = self._scaled(passes.gradient)

    def product(self, vectors: Float[Tensor, "B K P"]) -> Float[Tensor, "B K P"]:
        """One double backward pass a vector and micro-batch.

        Raises:
            SettingError: when the loss cannot be differentiated twice.
        """
        self.products += vectors.shape[1]
        rows = [self._scaled(row) for row in vectors.unbind(1)]
        images = self._passes.products(rows)
        if self._decay is not None:
            images = [image + self._decay * row for image, row in zip(images, rows, strict=True)]
        return torch.stack([self._scaled(image) for image in images], 1)

    def preconditioned(self, diagonal: Float[Tensor, "B P"]) -> "ModelCurvature":
        """The same point in the coordinates P^1/2 theta. A direction whose P is infinite is left out."""
        return ModelCurvature(self._passes, diagonal.rsqrt(), self._decay)

    def decayed(self, decay: Float[Tensor, "B P"]) -> "ModelCurvature":
        """H + diag(decay): as weight decay that is part of the gradient bends the loss. The gradient stays the loss's own."""
        return ModelCurvature(self._passes, self._scale, decay)

    def _scaled(self, row: Float[Tensor, "B P"]) -> Float[Tensor, "B P"]:
        return row if self._scale is None else row * self._scale


def model_curvature(
    model: nn.Module,
    loss: Loss,
    batches: Sequence[Any],
    weights: Sequence[float | int] | None = None,
    random: RandomState | None = None,
) -> ModelCurvature:
    """Loss, gradient and Hessian products of a model at its present parameters.

    Args:
        model: all its parameters that require gradients count, in their order.
        loss: of one batch, computed with this model.
        batches: the micro-batches.
        weights: of the micro-batches, such as their sizes; equal by default.
        random: the state of the generators in which the first micro-batch's forward pass begins; by default the present one.

    Raises:
        SettingError: when nothing is trained, there is no batch, or the loss cannot be used.

    >>> model = nn.Linear(2, 1, bias=False, dtype=torch.float64)
    >>> local = model_curvature(model, lambda x: model(x).square().sum() / 2, [torch.diag(torch.tensor([1.0, 3.0])).double()])
    >>> local.product(torch.ones(1, 1, 2, dtype=torch.float64)).tolist()
    [[[1.0, 9.0]]]
    """
    params = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not params or not batches:
        what = "model: has no parameter that requires a gradient" if not params else "batches=[]: holds none"
        raise SettingError(f"{what}; there is no curvature to measure")
    shares = torch.tensor([1.0] * len(batches) if weights is None else list(weights), dtype=torch.float64)
    if len(shares) != len(batches) or not bool((shares > 0).all()):
        raise SettingError(f"weights={weights!r}: give one above 0 for each of the {len(batches)} batches")
    return ModelCurvature(_Passes(model, params, loss, list(batches), (shares / shares.sum()).tolist(), random))


@dataclass(frozen=True)
class AlongUpdate:
    """The loss along an update u, up to second order."""

    slope: float
    """g.u"""
    bend: float
    """u.Hu"""
    length: float
    """|u|"""

    @property
    def curvature(self) -> float:
        """u.Hu / u.u; 0 for no update."""
        return self.bend / self.length**2 if self.length else 0.0

    @property
    def overshoot(self) -> float:
        """1 - (g.u + u.Hu/2) / g.u, not a number where g.u is 0.

        1 where the step stops lowering the loss. For gradient descent along an eigenvector it is half the learning rate times
        the eigenvalue, so that 1 is the stability threshold.
        """
        return -self.bend / (2 * self.slope) if self.slope else float("nan")


def along_update(local: LocalCurvature, update: Sequence[Tensor] | Float[Tensor, "1 P"]) -> AlongUpdate:
    """Slope and curvature of the loss along an update: one tensor a trained parameter, or all of them as [1, P].

    What momentum and the preconditioner make of a gradient is in the update already, so no formula of the optimizer is used:
    by this curvature, and not the largest, spikes of Adam are told (arXiv 2506.04805).
    """
    flat = update if isinstance(update, Tensor) else flattened(update, local.gradients)
    image = local.product(flat[:, None])[:, 0]
    return AlongUpdate(float((local.gradients * flat).sum()), float((flat * image).sum()), float(flat.norm()))


def batch_sharpness(batches: Iterable[LocalCurvature]) -> float:
    """Mean of g.Hg over mean of g.g, with each batch's own gradient and Hessian; 0 where all gradients vanish.

    Under SGD without momentum it rises to 2 over the learning rate and hovers there (arXiv 2412.20553).
    """
    bends, squares = [], []
    for local in batches:
        square = local.gradients.square().sum(1)
        bends.append(gradient_curvature(local) * square)
        squares.append(square)
    total = float(torch.cat(squares).sum())
    return float(torch.cat(bends).sum()) / total if total else 0.0


def flattened(parts: Sequence[Tensor], like: Float[Tensor, "1 P"]) -> Float[Tensor, "1 P"]:
    """One tensor a parameter as one row, in the type and on the device of another row."""
    return torch.cat([part.detach().reshape(-1).to(like) for part in parts])[None]


class _Passes:
    """Forward and backward passes over the micro-batches, each on the same random numbers every time."""

    def __init__(
        self,
        model: nn.Module,
        params: list[nn.Parameter],
        loss: Loss,
        batches: list[Any],
        weights: list[float],
        random: RandomState | None,
    ) -> None:
        self._model, self._params, self._loss = model, params, loss
        self._batches, self._weights = batches, weights
        self._starts = [random_state() if random is None else random]
        self._dtype = torch.float64 if any(p.dtype == torch.float64 for p in params) else torch.float32
        self._kept: list[Tensor] | None = None
        self._checked = False
        self.loss = torch.zeros(1, dtype=self._dtype, device=params[0].device)
        self.gradient = self.loss.new_zeros(1, sum(p.numel() for p in params))
        for value, grads, weight in self._slopes():
            self.loss += weight * value.detach().to(self.loss)
            self.gradient += weight * flattened(grads, self.gradient)
            if len(batches) == 1:
                self._kept = grads

    def products(self, rows: list[Tensor]) -> list[Tensor]:
        """H times each row [1, P]."""
        images = [torch.zeros_like(row) for row in rows]
        for grads, weight in self._again():
            for image, row in zip(images, rows, strict=True):
                image.add_(self._multiplied(grads, row), alpha=weight)
        return images

    def _again(self) -> Iterator[tuple[list[Tensor], float]]:
        if self._kept is not None:
            yield self._kept, 1.0
        else:
            yield from ((grads, weight) for _, grads, weight in self._slopes())

    def _slopes(self) -> Iterator[tuple[Tensor, list[Tensor], float]]:
        """Each micro-batch's loss, its gradient with the graph to the parameters, and its weight."""
        for number, (batch, weight) in enumerate(zip(self._batches, self._weights, strict=True)):
            with random_state_kept(self._starts[number]), _buffers_kept(self._model), torch.enable_grad():
                # Other kernels for attention have no second derivative.
                with sdpa_kernel(SDPBackend.MATH):
                    value = self._value(batch)
                if len(self._starts) == number + 1 < len(self._batches):
                    self._starts.append(random_state())
                grads = torch.autograd.grad(value, self._params, create_graph=True, materialize_grads=True)
            if not self._checked:
                _check_twice_differentiable(grads)
                self._checked = True
            yield value, list(grads), weight

    def _value(self, batch: Any) -> Tensor:
        value: Any = self._loss(batch)
        if isinstance(value, Tensor) and value.numel() == 1 and value.requires_grad:
            return value.reshape(())
        raise SettingError(
            f"loss: returned {_described(value)}; return the loss as a tensor of one number with its graph"
        )

    def _multiplied(self, grads: list[Tensor], row: Tensor) -> Tensor:
        pieces = torch.split(row[0], [p.numel() for p in self._params])
        curved = [
            (slope, piece.view_as(slope).to(slope))
            for slope, piece in zip(grads, pieces, strict=True)
            if slope.requires_grad
        ]
        if not curved:  # a loss that is linear in every parameter
            return torch.zeros_like(row)
        outputs, vectors = zip(*curved, strict=True)
        try:
            images = torch.autograd.grad(outputs, self._params, vectors, retain_graph=True, materialize_grads=True)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            first = (str(error).splitlines() or [""])[0]
            raise SettingError(f"loss: cannot be differentiated twice ({first}); {_REMEDY}") from error
        return flattened(images, row)


_REMEDY = "use the model uncompiled, and kernels that have a second derivative"
_UNDEFINED = ("torch::autograd::Error", "torch::autograd::NotImplemented")
"""What torch puts into a graph in place of a derivative that it does not have."""


def _check_twice_differentiable(grads: Sequence[Tensor]) -> None:
    """Raise SettingError where a gradient's graph ends in what has no derivative: torch would count it as constant."""
    seen: set[Any] = set()
    waiting = [slope.grad_fn for slope in grads if slope.grad_fn is not None]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.name() in _UNDEFINED:
            raise SettingError(
                f"loss: cannot be differentiated twice, one of its kernels has no second derivative; {_REMEDY}"
            )
        waiting += [before for before, _ in node.next_functions if before is not None]


@contextmanager
def _buffers_kept(model: nn.Module) -> Iterator[None]:
    """Inside, every buffer is a clone: a graph may still need what a second forward pass would overwrite."""
    owners = [
        (module, name, buffer) for module in model.modules() for name, buffer in module.named_buffers(recurse=False)
    ]
    try:
        for module, name, buffer in owners:
            setattr(module, name, buffer.clone())
        yield
    finally:
        for module, name, buffer in owners:
            setattr(module, name, buffer)


def _described(value: object) -> str:
    if not isinstance(value, Tensor):
        return repr(value)
    return f"a tensor of shape {list(value.shape)}" + ("" if value.requires_grad else " without a graph")
