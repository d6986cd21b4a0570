"""Training with the sharpness at every step, at little more than the cost of training.

One Hessian-vector product a step, with the vector that the pair had two steps earlier: at the edge of stability a training
oscillates with period two, and its Hessian with it. A product with that vector gives the Rayleigh quotient and the residual; the
image, shifted so that large negative eigenvalues fade too, is the next guess. An eigenvalue's error is of the order of the
residual squared over the gap, so where the residual is large, and only for those members, the search is widened by residuals until
it is not. Every few steps a second vector is looked at as well: two eigenvalues that cross would else not be seen.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from spikecheck.dynamics.curvature import LocalCurvature, curvature
from spikecheck.dynamics.eigen import top
from spikecheck.dynamics.ensemble import Ensemble
from spikecheck.dynamics.train import Tick, update
from spikecheck.dynamics.updates import UpdateRule
from spikecheck.problems.objective import Objective

ENOUGH = 0.015
"""Relative residual up to which nothing more is done: with a gap of a quarter it leaves an eigenvalue to 1e-3."""
_SHIFT = 0.25
"""Of the value, added to the spectrum: a negative eigenvalue as large as the value then fades by 0.6 a step."""
_SECOND_LOOK = 8
_MOST = 8
"""Products that one step may take to bring a residual down."""


@dataclass(frozen=True)
class Followed:
    """A stretch of training with its sharpness. Axes: T updates of the longest member, B members."""

    loss: Float[Tensor, "T1 B"]
    sharpness: Float[Tensor, "T1 B"]
    """Rayleigh quotients: never above the largest eigenvalue but by rounding."""
    residual: Float[Tensor, "T1 B"]
    """|H v - value v| over the value."""
    products: Int[Tensor, " B"]
    """Hessian-vector products that were made."""
    end: Ensemble


@dataclass(frozen=True)
class _Pair:
    """Every member's unit vector with its image under H."""

    vector: Float[Tensor, "B P"]
    image: Float[Tensor, "B P"]

    @property
    def value(self) -> Float[Tensor, " B"]:
        return (self.vector * self.image).sum(1)

    def residual(self) -> Float[Tensor, "B P"]:
        return self.image - self.value[:, None] * self.vector

    def relative_residual(self) -> Float[Tensor, " B"]:
        length: Tensor = torch.linalg.vector_norm(self.residual(), dim=1)
        return length / self.value.abs().clamp(min=torch.finfo(length.dtype).tiny)

    def shifted(self) -> Float[Tensor, "B P"]:
        """The next guess: one step of the power method on H + shift."""
        return normalize(self.image + _SHIFT * self.value.abs()[:, None] * self.vector, dim=1)


def follow(
    objective: Objective, rule: UpdateRule, ensemble: Ensemble, until: Int[Tensor, " B"], tick: Tick
) -> Followed:
    """Train every member until it has made `until` updates, its sharpness recorded before each and after the last.

    Updates take the gradients that come with the products. Where the rule has a preconditioner, the sharpness is that of the
    preconditioned Hessian.
    """
    longest = int((until - ensemble.done).clamp(min=0).max())
    losses, values, residuals = (ensemble.params.new_empty(longest + 1, ensemble.members) for _ in range(3))
    products = torch.zeros(ensemble.members, dtype=torch.int64, device=ensemble.params.device)
    started = top(_local(objective, rule, ensemble), 2)
    guesses, second = [started.vectors[:, 0]] * 2, started.vectors[:, 1]
    for step in range(longest + 1):
        scale = _scale(rule, ensemble)
        loss, gradient, pair = _looked(objective, ensemble.params, guesses[step % 2], scale)
        products += 1
        if step % _SECOND_LOOK == 0:
            pair, second = _seconded(objective, ensemble.params, pair, second, scale)
            products += 1
        pair = _narrowed(objective, ensemble.params, pair, scale, products)
        losses[step], values[step], residuals[step] = loss, pair.value, pair.relative_residual()
        guesses[step % 2] = torch.where(pair.image.isfinite().all(1, keepdim=True), pair.shifted(), guesses[step % 2])
        ensemble = update(rule, ensemble, loss, gradient, until)
        tick(ensemble.members)
    return Followed(losses, values, residuals, products, rule.kept(ensemble))


def _local(objective: Objective, rule: UpdateRule, ensemble: Ensemble) -> LocalCurvature:
    local = curvature(objective, ensemble.params)
    diagonal = rule.preconditioner(dict(ensemble.slots), ensemble.done[:, None])
    return local if diagonal is None else local.preconditioned(diagonal)


def _scale(rule: UpdateRule, ensemble: Ensemble) -> Float[Tensor, "B P"] | None:
    """P^-1/2 where the rule has a preconditioner P."""
    diagonal = rule.preconditioner(dict(ensemble.slots), ensemble.done[:, None])
    return None if diagonal is None else diagonal.rsqrt()


def _looked(
    objective: Objective, params: Float[Tensor, "B P"], vector: Float[Tensor, "B P"], scale: Float[Tensor, "B P"] | None
) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], _Pair]:
    """Loss, gradient, and the vector with its image."""
    if scale is None:
        losses, gradients, images = objective.gradient_and_product(params, vector)
        return losses, gradients, _Pair(vector, images)
    losses, gradients, images = objective.gradient_and_product(params, vector * scale)
    return losses, gradients, _Pair(vector, images * scale)


def _seconded(
    objective: Objective,
    params: Float[Tensor, "B P"],
    pair: _Pair,
    second: Float[Tensor, "B P"],
    scale: Float[Tensor, "B P"] | None,
) -> tuple[_Pair, Float[Tensor, "B P"]]:
    """The better pair in the span of the first and a second vector, and where the second goes next."""
    other = _looked(objective, params, _beside(second, pair.vector), scale)[2]
    first, rest = _turned(pair, other)
    return first, rest.shifted()


def _narrowed(
    objective: Objective,
    params: Float[Tensor, "B P"],
    pair: _Pair,
    scale: Float[Tensor, "B P"] | None,
    products: Tensor,
) -> _Pair:
    """The pair with residuals that are small enough; members whose numbers fail are left as they are."""
    for _ in range(_MOST):
        relative = pair.relative_residual()
        far = ((relative > ENOUGH) & relative.isfinite()).nonzero().ravel()
        if not len(far):
            break
        few = _Pair(pair.vector[far], pair.image[far])
        ways = _beside(few.residual(), few.vector)
        there = objective.take(far)
        _, _, beside = _looked(there, params[far], ways, None if scale is None else scale[far])
        better, _ = _turned(few, beside)
        products[far] += 1
        pair = _Pair(pair.vector.index_copy(0, far, better.vector), pair.image.index_copy(0, far, better.image))
    return pair


def _turned(one: _Pair, other: _Pair) -> tuple[_Pair, _Pair]:
    """Rayleigh-Ritz in two dimensions: the pair of the larger value, and the other; the vectors are orthonormal."""
    a, b, c = one.value, (one.vector * other.image).sum(1), other.value
    angle = (torch.atan2(2 * b, a - c) / 2)[:, None]
    cos, sin = angle.cos(), angle.sin()
    first = _Pair(cos * one.vector + sin * other.vector, cos * one.image + sin * other.image)
    return first, _Pair(cos * other.vector - sin * one.vector, cos * other.image - sin * one.image)


def _beside(rows: Float[Tensor, "B P"], vector: Float[Tensor, "B P"]) -> Float[Tensor, "B P"]:
    """Unit rows orthogonal to the vectors; twice, since once leaves rounding of what was nearly parallel."""
    for _ in range(2):
        rows = normalize(rows - (rows * vector).sum(1, keepdim=True) * vector, dim=1)
    return rows
