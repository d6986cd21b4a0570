"""Stability of training: the multipliers of the linearised update of parameters and optimizer state.

One update maps z = (theta, state) to F(z), with the gradient taken at theta. Small deviations from the trajectory are
multiplied by the eigenvalues of F's Jacobian. Along flat directions these are near +1 for every optimizer. A spike grows
across the valley, where deviations change sign from step to step. So the quantity of interest is the largest modulus among the
eigenvalues with a negative real part: above 1, the oscillation grows. For gradient descent it is eta lambda_max - 1.

No formula for a threshold is used. Eigenvalues come from Krylov spaces of Jacobian-vector products. These products are exact
for built-in rules; for optimizers named by MODULE:NAME they are central differences of the step. The two disagree where a step
has kinks, as where Adam's second moment is 0, so comparisons between optimizers use differences for both.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.autograd.functional import jvp  # torch.func's imports what warns of being deprecated

from spikecheck.curvature.hessian import Losses, curvature
from spikecheck.curvature.limits import DEPTH
from spikecheck.curvature.rayleigh_ritz import noise
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import UpdateRule
from spikecheck.optimizers.schedules import Scheduled
from spikecheck.optimizers.torch_optimizer import NamedOptimizer

_CHECK = 4
"""Products between two checks whether a reversal still changes."""
_STEP = 1e-5
"""The step of a central difference, in units of each coordinate's scale: its error is of the order of the step squared."""


@runtime_checkable
class Slopes(Losses, Protocol):
    """Losses with their gradients: an `Objective`, or anything differentiable twice."""

    def gradient(self, params: Float[Tensor, "B P"]) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """Every member's loss and gradient."""


Jacobian = Callable[[Float[Tensor, "B D"]], Float[Tensor, "B D"]]


@dataclass(frozen=True)
class Multipliers:
    """The linearised update's largest eigenvalues. Axes: B members."""

    oscillating: Float[Tensor, " B"]
    """Largest modulus among eigenvalues with a negative real part; 0 where there is none. Above 1 an oscillation grows."""
    radius: Float[Tensor, " B"]
    """The spectral radius. Negative curvature lifts it above 1 even where nothing oscillates."""
    reversal: Float[Tensor, " B"]
    """Minus the smallest real part: -1 without curvature, 1 at the threshold; eta lambda_max - 1 for gradient descent."""
    residual: Float[Tensor, " B"]
    """|J v - mu v| for the eigenvalue mu of `oscillating` and its unit vector v: the error bound if J were normal."""


def multipliers(
    objective: Slopes,
    rule: UpdateRule,
    ensemble: Ensemble,
    depth: int = DEPTH,
    differences: bool = False,
    settled: float = 0.0,
    tick: Callable[[], None] = lambda: None,
) -> Multipliers:
    """The multipliers at every member's parameters and optimizer state. A member whose numbers are not finite gets NaN.

    `depth` is the number of products. With `differences`, they are central differences for every rule. `settled` and `tick`
    are those of `arnoldi`.

    Raises:
        SettingError: when an optimizer cannot be resumed from a stored state, and so not from a deviation of that state.
    """
    product, size = jacobian(objective, rule, ensemble, differences)
    like = ensemble.params.new_zeros(ensemble.members, size)
    start = noise(1, like)[0].expand(ensemble.members, -1)
    if differences:  # deviate the parameters only: then the layout of an optimizer's state does not matter
        start = like.clone()
        start[:, : ensemble.params.shape[1]] = noise(1, ensemble.params)[0]
    return arnoldi(product, like, min(depth, size), start, settled, tick)


def linearisable(rule: UpdateRule) -> bool:
    """Whether a rule's update can be linearised. False where the rule's state cannot be stored."""
    own = rule.rule if isinstance(rule, Scheduled) else rule
    return not (isinstance(own, NamedOptimizer) and own.abilities.resumes)


def jacobian(
    objective: Slopes, rule: UpdateRule, ensemble: Ensemble, differences: bool = False
) -> tuple[Jacobian, int]:
    """A function for products with the linearised update, and its dimension D.

    Coordinates are scaled so that all have about the same size.
    """
    own = rule.rule if isinstance(rule, Scheduled) else rule
    if differences or isinstance(own, NamedOptimizer):
        return _by_differences(objective, rule, own, ensemble)
    return _by_derivatives(objective, rule, ensemble)


def arnoldi(
    product: Jacobian,
    like: Float[Tensor, "B D"],
    depth: int,
    start: Float[Tensor, "B D"],
    settled: float = 0.0,
    tick: Callable[[], None] = lambda: None,
) -> Multipliers:
    """The extreme Ritz values of the Krylov space that `depth` products from `start` span.

    With `settled` above 0, a member's values are those of a smaller space, once its reversal changed by at most `settled` in
    two checks in a row; the iteration ends when that holds for all members. A member's values do not depend on the others.
    `tick` is called before every product, and may raise to stop.
    """
    members = len(like)
    basis = like.new_zeros(members, depth + 1, like.shape[1])
    basis[:, 0] = torch.nn.functional.normalize(start, dim=1)
    projected = like.new_zeros(members, depth + 1, depth)
    watch = _Watch(settled, torch.zeros(members, dtype=torch.bool, device=like.device))
    for column in range(depth):
        tick()
        image = product(basis[:, column])
        known = basis[:, : column + 1]
        for _ in range(2):  # one pass leaves rounding errors of nearly parallel vectors
            part = torch.einsum("bkd,bd->bk", known, image)
            projected[:, : column + 1, column] += part
            image = image - torch.einsum("bk,bkd->bd", part, known)
        length = image.norm(dim=1)
        projected[:, column + 1, column] = length
        basis[:, column + 1] = image / length.clamp(min=torch.finfo(like.dtype).tiny)[:, None]
        made = column + 1
        if made == depth or (settled > 0.0 and made % _CHECK == 0):
            watch.see(_read(projected[:, : made + 1, :made], made))
            if watch.done.all():
                break
    return watch.latest


@dataclass
class _Watch:
    """Every member's multipliers: those at which it settled, or the latest if it has not."""

    settled: float
    done: Bool[Tensor, " B"]
    latest: Multipliers = field(init=False)
    _calm: Bool[Tensor, " B"] | None = None

    def see(self, now: Multipliers) -> None:
        if self._calm is None:
            self.latest, self._calm = now, torch.zeros_like(self.done)
            return
        # A member whose numbers are not finite has settled too.
        still = ~((now.reversal - self.latest.reversal).abs() > self.settled)
        kept = self.done
        self.done = self.done | (still & self._calm & (self.settled > 0.0))
        self._calm = still
        self.latest = Multipliers(
            *(
                torch.where(kept, old, new)
                for old, new in (
                    (self.latest.oscillating, now.oscillating),
                    (self.latest.radius, now.radius),
                    (self.latest.reversal, now.reversal),
                    (self.latest.residual, now.residual),
                )
            )
        )


def _read(projected: Float[Tensor, "B E M"], depth: int) -> Multipliers:
    members = len(projected)
    sound = projected.isfinite().all(2).all(1)
    square = torch.where(sound[:, None, None], projected[:, :depth], torch.eye(depth, dtype=projected.dtype))
    values, vectors = torch.linalg.eig(square.cpu())
    size = values.abs()
    flipping = torch.where(values.real < 0, size, 0.0)
    position = flipping.argmax(1)
    last = vectors[torch.arange(members), depth - 1, position].abs()
    residual = last * projected[:, depth, depth - 1].abs().cpu()
    nan = torch.tensor(float("nan"), dtype=size.dtype)
    oscillating, radius, reversal, residual = (
        torch.where(sound.cpu(), part, nan).to(projected.device)
        for part in (flipping.max(1).values, size.max(1).values, -values.real.min(1).values, residual)
    )
    return Multipliers(oscillating, radius, reversal, residual)


# ---- Jacobian-vector products ----------------------------------------------------------------------------------------------


def _by_derivatives(objective: Slopes, rule: UpdateRule, ensemble: Ensemble) -> tuple[Jacobian, int]:
    """Exact products: the gradient's tangent is H v, and the rule's step is differentiated."""
    local = curvature(objective, ensemble.params)
    size, names = ensemble.params.shape[1], rule.slots
    paced = rule.paced(ensemble) if isinstance(rule, Scheduled) else ensemble
    lr, done = paced.lr[:, None], ensemble.done[:, None]
    worth = torch.cat([torch.ones_like(ensemble.params), *(_worth(ensemble.slots[name]) for name in names)], 1)

    def step(params: Tensor, grads: Tensor, *slots: Tensor) -> tuple[Tensor, ...]:
        after, memory = rule.step(params, grads, dict(zip(names, slots, strict=True)), lr, done)
        return after, *(memory[name] for name in names)

    point = (ensemble.params, local.gradients, *(ensemble.slots[name] for name in names))

    def product(vector: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        way, *rest = (vector * worth).split_with_sizes([size] * (1 + len(names)), 1)
        bent = local.product(way[:, None])[:, 0]
        _, moved = jvp(step, point, (way, bent, *rest))  # type: ignore[no-untyped-call]
        # A second moment that is still 0 has an infinite derivative there, multiplied by a motion of 0.
        whole = torch.cat([part.nan_to_num(0.0, 0.0, 0.0) for part in moved], 1) / worth
        return torch.where(bent.isfinite().all(1, keepdim=True), whole, torch.nan)

    return product, size * (1 + len(names))


def _by_differences(objective: Slopes, rule: UpdateRule, own: UpdateRule, ensemble: Ensemble) -> tuple[Jacobian, int]:
    """Products by central differences of the optimizer's step.

    The gradient's tangent is H v, so that kinks of the loss do not matter. Counters and other scalars of the state are fixed.
    A closure computes its gradients at the displaced parameters.
    """
    local = curvature(objective, ensemble.params)
    kept = rule.kept(ensemble)
    slots = {name: numbers.double() for name, numbers in kept.slots.items()}
    parts = _parts(own, ensemble.params.shape[1], ensemble.params.device)
    ones = torch.ones_like(ensemble.params, dtype=torch.float64)
    worth = torch.cat([ones, *(_worth(slots[name][:, places]) for name, places in parts)], 1)
    sizes = [ensemble.params.shape[1], *(len(places) for _, places in parts)]
    paced = rule.paced(kept) if isinstance(rule, Scheduled) else kept

    def after(shift: Tensor, bent: Tensor) -> Tensor:
        way, *rest = shift.split_with_sizes(sizes, 1)
        moved = {name: numbers.clone() for name, numbers in slots.items()}
        for (name, places), part in zip(parts, rest, strict=True):
            moved[name].index_add_(1, places, part)
        params, grads = ensemble.params + way.to(ensemble.params), local.gradients + bent
        there = {name: numbers.to(kept.slots[name].dtype) for name, numbers in moved.items()}
        to, memory = own.step(params, grads, there, paced.lr[:, None], kept.done[:, None])
        return torch.cat([to.double(), *(memory[name][:, places].double() for name, places in parts)], 1)

    def product(vector: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        shift = vector.double() * worth * _STEP
        bent = local.product(shift[:, None, : sizes[0]].to(vector))[:, 0]
        return ((after(shift, bent) - after(-shift, -bent)) / (2 * _STEP) / worth).to(vector)

    return product, sum(sizes)


def _parts(own: UpdateRule, size: int, device: torch.device) -> list[tuple[str, Int[Tensor, " K"]]]:
    """The parts of a rule's state that are varied: the name of a slot, and the places in it."""
    if isinstance(own, NamedOptimizer):
        return [("state", torch.tensor(places, device=device)) for places in own.wide()]
    return [(name, torch.arange(size, device=device)) for name in own.slots]


def _worth(numbers: Float[Tensor, "B Q"]) -> Float[Tensor, "B Q"]:
    """Each coordinate's scale: its own size in averages of squares, else the root mean square of all coordinates.

    Eigenvalues do not depend on the scale, but a difference must not make a square negative.
    """
    size = numbers.square().mean(1, keepdim=True).sqrt()
    whole = torch.where(size > 0, size, torch.ones_like(size)).expand_as(numbers)
    squares = (numbers >= 0).all(1, keepdim=True) & (numbers > 0).any(1, keepdim=True)
    least = torch.finfo(numbers.dtype).tiny ** 0.5
    return torch.where(squares, numbers.clamp(min=least), whole)
