"""Training with the sharpness at every step, at little more than the cost of training.

One Hessian-vector product a step, with the vector that the pair had two steps earlier: at the edge of stability a training
oscillates with period two, and its Hessian with it. A product with that vector gives the Rayleigh quotient and the residual;
the image, shifted so that large negative eigenvalues fade too, is the next guess. An eigenvalue's error is of the order of the
residual squared over the gap, so where that is too much, and only for those members, the search is widened by residuals until
it is not. Every few steps a second vector is looked at as well: it tells the gap, and two eigenvalues that cross would else
not be seen.
"""

import math
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from spikecheck.dynamics.curvature import Losses, curvature
from spikecheck.dynamics.eigen import top
from spikecheck.dynamics.ensemble import Ensemble
from spikecheck.dynamics.gradients import Gradients
from spikecheck.dynamics.train import Tick, update, update_all
from spikecheck.dynamics.updates import UpdateRule

ACCURACY = 1e-3
"""Relative error of an eigenvalue that the residual and the gap are to promise."""
_SHIFT = 0.25
"""Of the value, added to the spectrum: a negative eigenvalue as large as the value then fades by 0.6 a step."""
_SECOND_LOOK = 7
"""Odd: even and odd steps have guesses of their own, and both are to be held against the second vector."""
_FEW = 4
"""A quarter of the members or fewer are searched for by themselves."""
_STEPS_A_TICK = 100
_MOST = 8
"""Products that one step may take to bring a residual down."""


@runtime_checkable
class Products(Losses, Protocol):
    """Losses with their gradients and products: an `Objective`, or whatever else is differentiable twice."""

    def gradient_and_products(
        self, params: Float[Tensor, "B P"], vectors: Float[Tensor, "B K P"]
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], Float[Tensor, "B K P"]]:
        """Every member's loss, gradient, and Hessian times K vectors."""

    def take(self, index: Int[Tensor, " F"]) -> "Products":
        """The same of these members."""


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
    """Every member's unit vector with its image under H, and what follows from them."""

    vector: Float[Tensor, "B P"]
    image: Float[Tensor, "B P"]
    value: Float[Tensor, " B"]
    residual: Float[Tensor, "B P"]
    relative: Float[Tensor, " B"]
    """Length of the residual over the value."""

    @classmethod
    def of(cls, vector: Float[Tensor, "B P"], image: Float[Tensor, "B P"]) -> "_Pair":
        value = (vector * image).sum(1)
        residual = torch.addcmul(image, vector, value[:, None], value=-1)
        return cls(vector, image, value, residual, torch.linalg.vector_norm(residual, dim=1) / value.abs())

    def some(self, members: Int[Tensor, " F"] | slice) -> "_Pair":
        """Those of some members."""
        return _Pair.of(self.vector[members], self.image[members])

    def put(self, members: Int[Tensor, " F"], other: "_Pair") -> "_Pair":
        """The other's in the place of some members'."""
        return _Pair.of(
            self.vector.index_copy(0, members, other.vector), self.image.index_copy(0, members, other.image)
        )

    def without(self, other: "_Pair") -> "_Pair":
        """What of the vector is orthogonal to another's, of unit length: no product is needed for its image."""
        part = (self.vector * other.vector).sum(1, keepdim=True)
        rest = torch.addcmul(self.vector, other.vector, part, value=-1)
        length = torch.linalg.vector_norm(rest, dim=1, keepdim=True).clamp(min=torch.finfo(rest.dtype).tiny)
        return _Pair.of(rest / length, torch.addcmul(self.image, other.image, part, value=-1) / length)

    def shifted(self) -> Float[Tensor, "B P"]:
        """The next guess: one step of the power method on H + shift."""
        return normalize(torch.addcmul(self.image, self.vector, self.value.abs()[:, None], value=_SHIFT), dim=1)


class _Look:
    """The products at one point of an ensemble, in the coordinates in which its rule takes plain gradient steps."""

    def __init__(self, objective: Products, rule: UpdateRule, ensemble: Ensemble) -> None:
        diagonal = rule.preconditioner(dict(ensemble.slots), ensemble.done[:, None])
        self._objective, self._params = objective, ensemble.params
        self._scale = None if diagonal is None else diagonal.rsqrt()

    def first(self, vector: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], _Pair]:
        """Loss, gradient, and the vector's pair."""
        scale = self._scale
        scaled = vector if scale is None else vector * scale
        losses, gradients, images = self._objective.gradient_and_products(self._params, scaled[:, None])
        image = images[:, 0]
        return losses, gradients, _Pair.of(vector, image if scale is None else image * scale)

    def beside(self, pair: _Pair, rows: Float[Tensor, "B P"]) -> tuple[_Pair, _Pair]:
        """The better pair in the span of a pair and of further rows, and the other one."""
        return _turned(pair, self.first(_beside(rows, pair.vector))[2])

    def some(self, members: Int[Tensor, " F"]) -> "_Look":
        """The same of some members, with repeats."""
        found = object.__new__(_Look)
        found._objective, found._params = self._objective.take(members), self._params[members]
        found._scale = None if self._scale is None else self._scale[members]
        return found


def follow(
    objective: Products,
    rule: UpdateRule,
    ensemble: Ensemble,
    until: Int[Tensor, " B"],
    tick: Tick,
    gradients: Gradients | None = None,
) -> Followed:
    """Train every member until it has made `until` updates, its sharpness recorded before each and after the last.

    Updates follow `gradients`, or where there are none those that come with the products, which are those of `train`. Where
    the rule has a preconditioner, the sharpness is that of the preconditioned Hessian.
    """
    left = (until - ensemble.done).clamp(min=0)
    longest, together = int(left.max()), int(left.min()) if bool(ensemble.alive.all()) else 0
    losses, values, residuals = (ensemble.params.new_empty(longest + 1, ensemble.members) for _ in range(3))
    products = torch.zeros(ensemble.members, dtype=torch.int64, device=ensemble.params.device)
    ensemble = replace(ensemble, params=_members_last(ensemble.params))
    guesses, second = _started(objective, rule, ensemble)
    enough = torch.zeros_like(ensemble.lr)
    for step in range(longest + 1):
        look = _Look(objective, rule, ensemble)
        losses[step], gradient, pair = look.first(guesses[step % 2])
        if gradients is not None:
            losses[step], gradient = gradients(ensemble)
        if step % _SECOND_LOOK == 0:
            pair, rest = look.beside(pair, second)
            second = rest.shifted().nan_to_num(1.0)
            enough = _enough(pair, rest)
            products += 1
        excess = float((pair.relative - enough).max())
        if not excess <= 0:
            pair = _narrowed(look, pair, enough, products)
        products += 1
        values[step], residuals[step] = pair.value, pair.relative
        guess = pair.shifted()
        sound = math.isfinite(excess)
        guesses[step % 2] = (
            guess if sound else torch.where(guess.isfinite().all(1, keepdim=True), guess, guesses[step % 2])
        )
        if step < together and sound:  # then every loss is finite
            ensemble = update_all(rule, ensemble, gradient)
        else:
            ensemble, together = update(rule, ensemble, losses[step], gradient, until), 0
        if (step + 1) % _STEPS_A_TICK == 0:
            tick(_STEPS_A_TICK * ensemble.members)
    return Followed(losses, values, residuals, products, rule.kept(ensemble))


def _started(
    objective: Products, rule: UpdateRule, ensemble: Ensemble
) -> tuple[list[Float[Tensor, "B P"]], Float[Tensor, "B P"]]:
    """The first vector for even and for odd steps, and the second."""
    local = curvature(objective, ensemble.params)
    diagonal = rule.preconditioner(dict(ensemble.slots), ensemble.done[:, None])
    found = top(local if diagonal is None else local.preconditioned(diagonal), 2).vectors
    return [_members_last(found[:, 0]), _members_last(found[:, 0])], _members_last(found[:, 1])


def _members_last(rows: Float[Tensor, "B P"]) -> Float[Tensor, "B P"]:
    """The same rows as columns in memory: so compiled kernels take them and give them."""
    return rows.T.contiguous().T


def _enough(first: _Pair, second: _Pair) -> Float[Tensor, " B"]:
    """The relative residual that leaves an error of ACCURACY, with the gap between two values."""
    gap = (1 - second.value / first.value).nan_to_num(1.0).clamp(0, 1)
    return (ACCURACY / 2 * gap).sqrt().clamp(min=ACCURACY)


def _narrowed(look: _Look, pair: _Pair, enough: Float[Tensor, " B"], products: Int[Tensor, " B"]) -> _Pair:
    """The pair with residuals that are small enough; members whose numbers fail are left as they are.

    Locally optimal: from the residual and from the way of the step before, as LOBPCG does for one vector.
    """
    members = len(pair.value)
    way: _Pair | None = None
    for _ in range(_MOST):
        far = ((pair.relative > enough) & pair.relative.isfinite()).nonzero().ravel()
        if not len(far):
            break
        # One size for few and one for many: a kernel is compiled for every number of members.
        size = members // _FEW if len(far) <= members // _FEW else members
        chosen = far[torch.arange(size, device=far.device) % len(far)] if size < members else torch.arange(members)
        few = pair.some(chosen)
        better, _ = (look.some(chosen) if size < members else look).beside(few, few.residual)
        if way is not None:
            better, _ = _turned(better, way.some(chosen).without(better))
        kept = slice(len(far)) if size < members else far
        products[far] += 1
        way = (way or pair).put(far, few.without(better).some(kept))
        pair = pair.put(far, better.some(kept))
    return pair


def _turned(one: _Pair, other: _Pair) -> tuple[_Pair, _Pair]:
    """Rayleigh-Ritz in two dimensions: the pair of the larger value, and the other; the vectors are orthonormal."""
    a, b, c = one.value, (one.vector * other.image).sum(1), other.value
    angle = (torch.atan2(2 * b, a - c) / 2)[:, None]
    cos, sin = angle.cos(), angle.sin()
    first = _Pair.of(cos * one.vector + sin * other.vector, cos * one.image + sin * other.image)
    return first, _Pair.of(cos * other.vector - sin * one.vector, cos * other.image - sin * one.image)


def _beside(rows: Float[Tensor, "B P"], vector: Float[Tensor, "B P"]) -> Float[Tensor, "B P"]:
    """Unit rows orthogonal to the vectors; twice, since once leaves rounding of what was nearly parallel."""
    for _ in range(2):
        rows = normalize(torch.addcmul(rows, vector, (rows * vector).sum(1, keepdim=True), value=-1), dim=1)
    return rows
