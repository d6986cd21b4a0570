"""Self-stabilisation during training: the width of the oscillation across the valley, and the quantities that balance it."""

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
    """Measurements along a training. Axes: W measurements, B members."""

    steps: Int[Tensor, "W B"]
    """Updates made; a member that has stopped repeats its value."""
    sharpness: Float[Tensor, "W B"]
    residual: Float[Tensor, "W B"]
    displacement: Float[Tensor, "W B"]
    """Distance from the bottom of the valley along v, with its sign."""
    sharpening: Float[Tensor, "W B"]
    """Rise of the sharpness per step at the bottom, divided by the learning rate."""
    steepness: Float[Tensor, "W B"]
    """Squared length of the sharpness gradient's part orthogonal to v, at the bottom."""


class BalanceObserver:
    """Measures an ensemble every few updates, by wrapping the gradients that its training computes.

    With the first eigenpair (lambda, v) and the gradient g, a state is x = g.v/lambda away from the bottom of the valley.
    Gradient and sharpness gradient are taken at the bottom, the state less x v. At the state itself, the gradient has two
    additional terms in x^2, from the sharpness gradient and from the rotation of v, which are as large as the effect of the
    oscillation. A measurement costs three gradients and one eigenpair. Axes: B members, P parameters.
    """

    def __init__(self, objective: Sloping, every: int, since: int = 0) -> None:
        """The first measurement follows `since` updates, the next ones follow every `every` updates."""
        self._objective, self._every, self._left = objective, every, since
        self._pairs: EigenPairs | None = None
        self._looks: list[Stabilisation] = []

    def over(self, gradients: Gradients) -> Gradients:
        """The same gradients, bit for bit, with the measurement added to their calls."""

        def watched(ensemble: Ensemble) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
            if self._left == 0:
                self._looks.append(self._look(ensemble))
                self._left = self._every
            self._left -= 1
            return gradients(ensemble)

        return watched

    def seen(self) -> Stabilisation:
        """All measurements so far."""
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
        measured = (
            sharpness,
            pairs.residuals[:, 0],
            displacement,
            -(slope * sideways).sum(1),
            sideways.square().sum(1),
        )
        return Stabilisation(ensemble.done[None], *(part[None] for part in measured))
