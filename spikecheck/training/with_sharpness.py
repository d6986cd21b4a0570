"""Training with the sharpness at every step, at little more than the cost of training.

Each step takes one Hessian-vector product, with the eigenvector of two steps earlier: at the edge of stability a training
oscillates with period two, and so does its Hessian. The product gives the Rayleigh quotient and the residual. The image,
shifted so that large negative eigenvalues fade too, is the next guess. An eigenvalue's error is of the order of the residual
squared over the gap. Where that is too large, and for those members only, residuals are added to the search space until it is
small enough. Every few steps a second vector is computed too: it gives the gap, and shows when two eigenvalues cross.
"""

import math
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikecheck.curvature.hessian import Losses, curvature
from spikecheck.curvature.rayleigh_ritz import noise, search
from spikecheck.curvature.tracked_pair import PLAIN, Arithmetic, Pair, by_kernels
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import UpdateRule
from spikecheck.training.gradients import Gradients
from spikecheck.training.loop import Tick
from spikecheck.training.one_update import update, update_all

ACCURACY = 1e-3
"""Largest relative error of an eigenvalue, as bounded by the residual and the gap."""
_SECOND_LOOK = 7
"""Steps between two comparisons with the second vector. Odd, since even and odd steps have separate guesses to compare."""
_SCOUTS, _DEPTH, _ROUGHLY = 4, 6, 1e-2
"""The first search: random vectors, products of each, and the relative residual to reach."""
_FEW = 4
"""If at most one member in `_FEW` needs a search, those members are searched as a smaller ensemble."""
_STEPS_A_TICK = 100
_MOST = 8
"""The most additional products that one step may take to reduce a residual."""


@runtime_checkable
class Products(Losses, Protocol):
    """Losses with gradients and Hessian-vector products: an `Objective`, or anything differentiable twice."""

    @property
    def multiplies(self) -> bool:
        """Whether Hessian-vector products are compiled."""

    def gradient_and_products(
        self, params: Float[Tensor, "B P"], vectors: Float[Tensor, "B K P"]
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], Float[Tensor, "B K P"]]:
        """Every member's loss, gradient, and Hessian times K vectors."""

    def select(self, index: Int[Tensor, " F"]) -> "Products":
        """The losses of these members only."""


@dataclass(frozen=True)
class SharpnessTrajectory:
    """A training with its sharpness at every step. Axes: T updates of the longest member (T1 = T + 1), B members."""

    loss: Float[Tensor, "T1 B"]
    sharpness: Float[Tensor, "T1 B"]
    """Rayleigh quotients: up to rounding, never above the largest eigenvalue."""
    residual: Float[Tensor, "T1 B"]
    """|H v - value v| / |value|."""
    products: Int[Tensor, " B"]
    """Hessian-vector products made."""
    end: Ensemble


class _Look:
    """Hessian-vector products at one state of an ensemble, in the coordinates in which its rule takes plain gradient steps."""

    def __init__(self, objective: Products, rule: UpdateRule, ensemble: Ensemble, by: Arithmetic) -> None:
        diagonal = rule.preconditioner(dict(ensemble.slots), ensemble.done[:, None])
        self._objective, self._params, self._by = objective, ensemble.params, by
        self._scale = None if diagonal is None else diagonal.rsqrt()[:, None]

    def first(self, vector: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], Pair]:
        """Loss, gradient, and the vector's pair."""
        losses, gradients, images = self._images(vector[:, None])
        return losses, gradients, self._by.pair(vector, images[:, 0])

    def first_two(
        self, vector: Float[Tensor, "B P"], rows: Float[Tensor, "B P"]
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], Pair, Pair]:
        """Loss, gradient, and both Ritz pairs in the span of two vectors, the one of the larger value first."""
        across = self._by.beside(rows, vector)
        losses, gradients, images = self._images(torch.stack([vector.T, across.T]).permute(2, 0, 1))
        one, other = (self._by.pair(v, images[:, place]) for place, v in enumerate((vector, across)))
        return losses, gradients, *self._by.turned(one, other)

    def wider(self, pair: Pair) -> Pair:
        """The pair of the larger value in the span of a pair's vector and its residual."""
        return self._by.turned(pair, self.first(self._by.beside(pair.residual, pair.vector))[2])[0]

    def index(self, members: Int[Tensor, " F"]) -> "_Look":
        """The products of these members only; repeats are allowed."""
        selected = object.__new__(_Look)
        selected._objective, selected._params, selected._by = (
            self._objective.select(members),
            self._params[members],
            self._by,
        )
        selected._scale = None if self._scale is None else self._scale[members]
        return selected

    def _images(
        self, vectors: Float[Tensor, "B K P"]
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"], Float[Tensor, "B K P"]]:
        """Loss, gradient, and the Hessian times the vectors."""
        if self._scale is None:
            return self._objective.gradient_and_products(self._params, vectors)
        losses, gradients, images = self._objective.gradient_and_products(self._params, vectors * self._scale)
        return losses, gradients, images * self._scale


def follow(
    objective: Products,
    rule: UpdateRule,
    ensemble: Ensemble,
    until: Int[Tensor, " B"],
    tick: Tick,
    gradients: Gradients | None = None,
) -> SharpnessTrajectory:
    """Train every member until it has made `until` updates, and record its sharpness before each and after the last.

    Updates follow `gradients`; by default, the gradients computed with the products, which are those of `train`. Where the
    rule has a preconditioner, the sharpness is that of the preconditioned Hessian. `tick` receives the member-steps made, and
    may raise to stop.
    """
    left = (until - ensemble.done).clamp(min=0)
    longest, together = int(left.max()), int(left.min()) if bool(ensemble.alive.all()) else 0
    losses, values, residuals = (ensemble.params.new_empty(longest + 1, ensemble.members) for _ in range(3))
    products = torch.zeros(ensemble.members, dtype=torch.int64, device=ensemble.params.device)
    ensemble = replace(ensemble, params=_members_last(ensemble.params))
    guesses, second = _started(objective, rule, ensemble)
    enough = torch.zeros_like(ensemble.lr)
    compiled = objective.multiplies and ensemble.params.is_cpu
    by = by_kernels(ensemble.params.dtype, torch.get_num_threads()) if compiled else PLAIN
    for step in range(longest + 1):
        look = _Look(objective, rule, ensemble, by)
        guess = guesses[step % 2]
        if step % _SECOND_LOOK:
            losses[step], gradient, pair = look.first(guess)
        else:
            losses[step], gradient, pair, rest = look.first_two(guess, second)
            second, enough = rest.ahead.nan_to_num(1.0), _enough(pair, rest)
        if gradients is not None:
            losses[step], gradient = gradients(ensemble)
        excess = float((pair.relative - enough).max())
        sound = math.isfinite(excess)
        if not excess <= 0:
            pair = _narrowed(look, pair, enough, products)
        values[step], residuals[step] = pair.value, pair.relative
        guesses[step % 2] = pair.ahead if sound else torch.where(_usable(pair.ahead), pair.ahead, guess)
        if step < together and sound:  # then every loss is finite
            ensemble = update_all(rule, ensemble, gradient)
        else:
            ensemble, together = update(rule, ensemble, losses[step], gradient, until), 0
        if (step + 1) % _STEPS_A_TICK == 0:
            tick(_STEPS_A_TICK * ensemble.members)
    steps = longest + 1
    everyones = steps + -(-steps // _SECOND_LOOK)
    return SharpnessTrajectory(losses, values, residuals, products + everyones, rule.kept(ensemble))


def _started(
    objective: Products, rule: UpdateRule, ensemble: Ensemble
) -> tuple[list[Float[Tensor, "B P"]], Float[Tensor, "B P"]]:
    """First guesses of the top vector for even and odd steps, and of the second vector; the first step improves them."""
    local = curvature(objective, ensemble.params)
    diagonal = rule.preconditioner(dict(ensemble.slots), ensemble.done[:, None])
    local = local if diagonal is None else local.preconditioned(diagonal)
    width = min(_SCOUTS, ensemble.params.shape[1])
    scouts = noise(width, ensemble.params).expand(ensemble.members, -1, -1)
    vectors = search(local, scouts, width, min(2, width), width, _ROUGHLY, _DEPTH).vectors
    return [_members_last(vectors[:, 0]), _members_last(vectors[:, 0])], _members_last(
        vectors[:, -1 if width == 1 else 1]
    )


def _members_last(rows: Float[Tensor, "B P"]) -> Float[Tensor, "B P"]:
    """The same rows with members last in memory, the layout of compiled kernels."""
    return rows.T.contiguous().T


def _usable(rows: Float[Tensor, "B P"]) -> Bool[Tensor, "B 1"]:
    usable: Tensor = rows.isfinite().all(1, keepdim=True)
    return usable


def _enough(first: Pair, second: Pair) -> Float[Tensor, " B"]:
    """The relative residual at which an eigenvalue's error is ACCURACY, given the gap between two values."""
    gap = (1 - second.value / first.value).nan_to_num(1.0).clamp(0, 1)
    return (ACCURACY / 2 * gap).sqrt().clamp(min=ACCURACY)


def _narrowed(look: _Look, pair: Pair, enough: Float[Tensor, " B"], products: Int[Tensor, " B"]) -> Pair:
    """The pairs, improved until residuals are small enough; members whose numbers are not finite stay unchanged.

    Each iteration searches the span of the vector, its residual and the previous search direction, as LOBPCG does for one
    vector.
    """
    members = len(pair.value)
    way: Pair | None = None
    for _ in range(_MOST):
        far = ((pair.relative > enough) & pair.relative.isfinite()).nonzero().ravel()
        if not len(far):
            break
        # Only two sizes, one for few members and one for many: a kernel is compiled for every number of members.
        size = members // _FEW if len(far) <= members // _FEW else members
        chosen = (
            far[torch.arange(size, device=far.device) % len(far)]
            if size < members
            else torch.arange(members, device=far.device)
        )
        few = pair.index(chosen)
        better = (look.index(chosen) if size < members else look).wider(few)
        if way is not None:
            better, _ = PLAIN.turned(better, way.index(chosen).without(better))
        kept = slice(len(far)) if size < members else far
        products[far] += 1
        way = (way or pair).scatter(far, few.without(better).index(kept))
        pair = pair.scatter(far, better.index(kept))
    return pair
