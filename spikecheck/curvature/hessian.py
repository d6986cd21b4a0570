"""Hessian-vector products of every member's loss at once."""

from abc import ABC, abstractmethod
from typing import Protocol, TypeGuard, final, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.curvature.limits import WRITTEN_OUT_UP_TO
from spikecheck.tensors.batched_matmul import aligned, plain_product


@runtime_checkable
class Losses(Protocol):
    """B independent losses: member b's depends on row b of the parameters alone."""

    def losses(self, params: Float[Tensor, "B P"]) -> Float[Tensor, " B"]:
        """Every member's loss; differentiable twice."""


@runtime_checkable
class Sloping(Losses, Protocol):
    """Losses with their gradients."""

    def gradient(self, params: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's loss and gradient."""


@runtime_checkable
class WrittenOut(Sloping, Protocol):
    """Losses whose derivatives may be computed without an autograd graph."""

    @property
    def multiplies(self) -> bool:
        """Whether many Hessian-vector products at once cost little more than gradients."""

    def gradient_and_products(
        self, params: Float[Tensor, "B P"], vectors: Float[Tensor, "B K P"]
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], Float[Tensor, "B K P"]]:
        """Every member's loss, gradient, and Hessian times K vectors."""

    def hessians(self, params: Float[Tensor, "B P"]) -> Float[Tensor, "B P P"] | None:
        """Every member's Hessian; None where it cannot be computed as a matrix."""

    def select(self, index: list[int]) -> "WrittenOut":
        """The losses of these members only."""


class LocalCurvature(ABC):
    """Losses, gradients and the Hessian of B members at one point each. Axes: B members, K vectors, P parameters.

    A member whose loss is not finite has products that are not finite; the other members' products are right.
    """

    losses: Float[Tensor, " B"]
    gradients: Float[Tensor, "B P"]
    products: int = 0
    """Hessian-vector products made so far, counted per member."""
    cheap: bool = False
    """Whether products are so cheap that a few additional ones are better than a longer search."""
    written_out: bool = False
    """Whether `hessian` and `hessians` return matrices."""

    @abstractmethod
    def product(self, vectors: Float[Tensor, "B K P"]) -> Float[Tensor, "B K P"]:
        """H v for K vectors v of every member."""

    @abstractmethod
    def preconditioned(self, diagonal: Float[Tensor, "B P"]) -> "LocalCurvature":
        """The curvature in the coordinates P^1/2 theta: P^-1/2 H P^-1/2 and P^-1/2 g, for P = diag(diagonal) > 0."""

    def hessians_of(self, members: list[int]) -> Float[Tensor, "F P P"] | None:
        """These members' Hessians; None where they would take products."""
        return None

    def hessians(self) -> Float[Tensor, "B P P"] | None:
        """Every member's Hessian; None where they would take products."""
        return self.hessians_of(list(range(len(self.losses))))


@final
class ByBackward(LocalCurvature):
    """Hessian-vector products by a second backward pass.

    The losses of independent members add up to one function with a block-diagonal Hessian. So one double backward pass
    through the sum multiplies each member's Hessian by its own vector, and no member affects another.
    """

    def __init__(
        self,
        params: Float[Tensor, "B P"],
        losses: Float[Tensor, " B"],
        slope: Float[Tensor, "B P"],
        scale: Tensor | None,
    ) -> None:
        """`slope` is the gradient with its graph to `params`; `scale` is P^-1/2, or None without a preconditioner."""
        self._params = params
        self._slope = slope
        self._scale = scale
        self.losses = losses.detach()
        self.gradients = self._scaled(slope.detach())

    def product(self, vectors: Float[Tensor, "B K P"]) -> Float[Tensor, "B K P"]:
        """One backward pass per vector: on a CPU this is faster than any batching."""
        self.products += vectors.shape[1]
        return torch.stack([self._multiplied(vector) for vector in vectors.unbind(1)], 1)

    def preconditioned(self, diagonal: Float[Tensor, "B P"]) -> "ByBackward":
        """The same graph in other coordinates."""
        return ByBackward(self._params, self.losses, self._slope, diagonal.rsqrt())

    def _multiplied(self, vector: Float[Tensor, "B P"]) -> Float[Tensor, "B P"]:
        (image,) = torch.autograd.grad(self._slope, self._params, self._scaled(vector), retain_graph=True)
        return self._scaled(image)

    def _scaled(self, rows: Float[Tensor, "B P"]) -> Float[Tensor, "B P"]:
        return rows if self._scale is None else rows * self._scale


@final
class ByMatrix(LocalCurvature):
    """Hessian-vector products with Hessians given as matrices."""

    cheap = written_out = True

    def __init__(
        self, losses: Float[Tensor, " B"], gradients: Float[Tensor, "B P"], hessians: Float[Tensor, "B P P"]
    ) -> None:
        """`hessians` are symmetric. They are aligned in memory once, which every product would otherwise repeat."""
        self.losses, self.gradients, self._hessians = losses, gradients, aligned(hessians)

    def product(self, vectors: Float[Tensor, "B K P"]) -> Float[Tensor, "B K P"]:
        """One matrix product per member."""
        self.products += vectors.shape[1]
        return plain_product(vectors, self._hessians)

    def preconditioned(self, diagonal: Float[Tensor, "B P"]) -> "ByMatrix":
        """The same matrices in other coordinates."""
        scale = diagonal.rsqrt()
        scaled = self._hessians * scale[:, :, None] * scale[:, None, :]
        return ByMatrix(self.losses, self.gradients * scale, scaled)

    def hessians_of(self, members: list[int]) -> Float[Tensor, "F P P"]:
        """Some of the matrices."""
        return self._hessians[members]

    def hessians(self) -> Float[Tensor, "B P P"]:
        """The matrices."""
        return self._hessians


@final
class ByKernel(LocalCurvature):
    """Hessian-vector products that an objective computes itself, without an autograd graph."""

    cheap = written_out = True

    def __init__(
        self,
        objective: WrittenOut,
        params: Float[Tensor, "B P"],
        at: tuple[Float[Tensor, " B"], Float[Tensor, "B P"]],
        scale: Tensor | None = None,
    ) -> None:
        """`at` are losses and gradients at `params`; `scale` is P^-1/2, or None without a preconditioner."""
        self._objective, self._params, self._at, self._scale = objective, params, at, scale
        self.losses, gradients = at
        self.gradients = gradients if scale is None else gradients * scale

    def product(self, vectors: Float[Tensor, "B K P"]) -> Float[Tensor, "B K P"]:
        """All vectors in one pass."""
        self.products += vectors.shape[1]
        scale = None if self._scale is None else self._scale[:, None]
        _, _, images = self._objective.gradient_and_products(
            self._params, vectors if scale is None else vectors * scale
        )
        return (images if scale is None else images * scale).contiguous()

    def preconditioned(self, diagonal: Float[Tensor, "B P"]) -> "ByKernel":
        """The same point in other coordinates."""
        return ByKernel(self._objective, self._params, self._at, diagonal.rsqrt())

    def hessians_of(self, members: list[int]) -> Float[Tensor, "F P P"]:
        """Some members' Hessians, computed on request."""
        hessians = self._objective.select(members).hessians(self._params[members])
        assert hessians is not None
        if self._scale is None:
            return hessians
        scale = self._scale[members]
        return hessians * scale[:, :, None] * scale[:, None, :]


def curvature(objective: Losses, params: Float[Tensor, "B P"]) -> LocalCurvature:
    """Losses, gradients and Hessian-vector products at `params`, without an autograd graph where the objective allows it.

    >>> class Bowls:
    ...     def losses(self, params):
    ...         return (torch.tensor([[1.0, 3.0], [2.0, 5.0]]) * params**2).sum(1) / 2
    >>> local = curvature(Bowls(), torch.ones(2, 2))
    >>> local.gradients.tolist(), local.product(torch.ones(2, 1, 2))[:, 0].tolist()
    ([[1.0, 3.0], [2.0, 5.0]], [[1.0, 3.0], [2.0, 5.0]])
    """
    if _writes_out(objective) and objective.multiplies:
        return ByKernel(objective, params, objective.gradient(params))
    if _writes_out(objective) and params.shape[1] <= WRITTEN_OUT_UP_TO:
        hessians = objective.hessians(params)
        if hessians is not None:
            return ByMatrix(*objective.gradient(params), hessians)
    here = params.detach().requires_grad_()
    with torch.enable_grad():
        losses = objective.losses(here)
        (slope,) = torch.autograd.grad(losses.sum(), here, create_graph=True)
    return ByBackward(here, losses, slope, None)


def _writes_out(objective: Losses) -> TypeGuard[WrittenOut]:
    """`isinstance(objective, WrittenOut)`, which takes as long as a small product."""
    return hasattr(objective, "gradient_and_products") and hasattr(objective, "hessians")


def gradient_curvature(local: LocalCurvature) -> Float[Tensor, " B"]:
    """The curvature along the gradient, g.H g / g.g, in units of loss per parameter squared; 0 where g vanishes."""
    gradients = local.gradients
    directions = torch.nn.functional.normalize(gradients, dim=1)
    return (directions * local.product(directions[:, None])[:, 0]).sum(1)
