"""Self-stabilisation along a training: how wide it oscillates across the valley, and how wide it has to for that."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikecheck.curvature.eigenpairs import EigenPairs, top, track
from spikecheck.curvature.hessian import Sloping, curvature
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.training.constrained import slope_and_rise
from spikecheck.training.dissection import MOST_ITERATIONS, TOLERANCE
from spikecheck.training.gradients import Gradients


@dataclass(frozen=True)
class Stabilisation:
    """What was seen, look by look. Axes: W looks, B members."""

    steps: Int[Tensor, "W B"]
    """Updates made; a member that stands still repeats its value."""
    sharpness: Float[Tensor, "W B"]
    residual: Float[Tensor, "W B"]
    displacement: Float[Tensor, "W B"]
    """From the bottom of the valley, along v."""
    sharpening: Float[Tensor, "W B"]
    """What the sharpness rises by per learning rate and step at the bottom."""
    steepness: Float[Tensor, "W B"]
    """The squared length of the gradient of the sharpness at right angles to v, at the bottom."""


class BalanceObserver:
    """Looks at an ensemble every few updates, by way of the gradients that its training asks for.

    With the first eigenpair (lambda, v) and the gradient g, a state is x = g.v/lambda away from the bottom across the valley.
    Gradient and sharpness gradient are taken there, at the state less x v, and not at the state itself: the latter's
    gradient has two terms in x^2 besides, from the sharpness gradient and from the turning of v, that are of the order of
    what the oscillation does. Three gradients a look, and what the eigenpair takes. Axes: B members, P parameters.
    """

    def __init__(self, objective: Sloping, every: int, since: int = 0) -> None:
        """`since` updates are let pass before the first look, `every` lie between two looks."""
        self._objective, self._every, self._left = objective, every, since
        self._pairs: EigenPairs | None = None
        self._looks: list[Stabilisation] = []

    def over(self, gradients: Gradients) -> Gradients:
        """The same gradients, to the bit, under which the ensemble is looked at."""

        def watched(ensemble: Ensemble) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
            if self._left == 0:
                self._looks.append(self._look(ensemble))
                self._left = self._every
            self._left -= 1
            return gradients(ensemble)

        return watched

    def seen(self) -> Stabilisation:
        """All looks until now."""
        names = Stabilisation.__dataclass_fields__
        return Stabilisation(**{name: torch.cat([getattr(look, name) for look in self._looks]) for name in names})

    def _look(self, ensemble: Ensemble) -> Stabilisation:
        local, before = curvature(self._objective, ensemble.params), self._pairs
        pairs = top(local, 1) if before is None else track(local, before, TOLERANCE, MOST_ITERATIONS)
        self._pairs = pairs
        vectors, sharpness = pairs.vectors[:, 0], pairs.values[:, 0]
        displacement = (local.gradients * vectors).sum(1) / sharpness
        bottom = ensemble.params - displacement[:, None] * vectors
        slope, rise = slope_and_rise(self._objective, bottom, vectors)
        sideways = rise - (rise * vectors).sum(1, keepdim=True) * vectors
        found = (sharpness, pairs.residuals[:, 0], displacement, -(slope * sideways).sum(1), sideways.square().sum(1))
        return Stabilisation(ensemble.done[None], *(part[None] for part in found))
