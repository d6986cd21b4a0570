"""Hessian-vector products of every member's loss at once."""

from typing import Protocol, final, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class Losses(Protocol):
    """B independent losses: member b's depends on row b of the parameters alone."""

    def losses(self, params: Float[Tensor, "B P"]) -> Float[Tensor, " B"]:
        """Every member's loss; differentiable twice."""


@final
class LocalCurvature:
    """Losses, gradients and the Hessian of B members at one point each. Axes: B members, K vectors, P parameters.

    Losses of independent members add up to one function whose Hessian is block diagonal. So one double backward pass
    through the sum multiplies every member's own Hessian with its own vector, and no member sees another. A member
    whose loss is not finite has products that are not; the others' are right.
    """

    def __init__(
        self,
        params: Float[Tensor, "B P"],
        losses: Float[Tensor, " B"],
        slope: Float[Tensor, "B P"],
        scale: Tensor | None,
    ) -> None:
        """`slope` is the gradient with its graph to `params`; `scale` is P^-1/2 where the curvature is preconditioned."""
        self._params = params
        self._slope = slope
        self._scale = scale
        self.losses = losses.detach()
        self.gradients = self._scaled(slope.detach())
        self.products = 0
        """Hessian-vector products made so far, counted per member."""

    def product(self, vectors: Float[Tensor, "B K P"]) -> Float[Tensor, "B K P"]:
        """H v for K vectors of every member. One backward pass a vector: faster on a CPU than any batching of them."""
        self.products += vectors.shape[1]
        return torch.stack([self._multiplied(vector) for vector in vectors.unbind(1)], 1)

    def preconditioned(self, diagonal: Float[Tensor, "B P"]) -> "LocalCurvature":
        """The same point seen in the coordinates P^1/2 theta: P^-1/2 H P^-1/2 and P^-1/2 g, for P = diag(diagonal) > 0."""
        return LocalCurvature(self._params, self.losses, self._slope, diagonal.rsqrt())

    def _multiplied(self, vector: Float[Tensor, "B P"]) -> Float[Tensor, "B P"]:
        (image,) = torch.autograd.grad(self._slope, self._params, self._scaled(vector), retain_graph=True)
        return self._scaled(image)

    def _scaled(self, rows: Float[Tensor, "B P"]) -> Float[Tensor, "B P"]:
        return rows if self._scale is None else rows * self._scale


def curvature(objective: Losses, params: Float[Tensor, "B P"]) -> LocalCurvature:
    """Losses, gradients and Hessian products at `params`; costs one forward and one backward pass.

    >>> class Bowls:
    ...     def losses(self, params):
    ...         return (torch.tensor([[1.0, 3.0], [2.0, 5.0]]) * params**2).sum(1) / 2
    >>> local = curvature(Bowls(), torch.ones(2, 2))
    >>> local.gradients.tolist(), local.product(torch.ones(2, 1, 2))[:, 0].tolist()
    ([[1.0, 3.0], [2.0, 5.0]], [[1.0, 3.0], [2.0, 5.0]])
    """
    here = params.detach().requires_grad_()
    with torch.enable_grad():
        losses = objective.losses(here)
        (slope,) = torch.autograd.grad(losses.sum(), here, create_graph=True)
    return LocalCurvature(here, losses, slope, None)


def gradient_curvature(local: LocalCurvature) -> Float[Tensor, " B"]:
    """g.H g / g.g: the curvature along the gradient, in units of loss per parameter squared; 0 where g vanishes."""
    gradients = local.gradients
    directions = torch.nn.functional.normalize(gradients, dim=1)
    return (directions * local.product(directions[:, None])[:, 0]).sum(1)
