"""Gradients under which gradient descent neither oscillates nor gets sharper than its stability threshold."""

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.dynamics.curvature import curvature
from spikecheck.dynamics.eigen import EigenPairs, top, track
from spikecheck.dynamics.ensemble import Ensemble
from spikecheck.dynamics.gradients import Gradients
from spikecheck.problems.objective import Objective

_TOLERANCE = 1e-3
_MOST_ITERATIONS = 8


class Held:
    """In place of the gradient g, what makes a step of gradient descent follow the constrained trajectory.

    With the first eigenpair (lambda, v), and n the unit gradient of lambda without its part along v, a step is

        -lr (g without v and, at the edge, without what along n would raise lambda) - (g.v/lambda) v - excess n,

    where the second part goes to the bottom across the valley, and the third takes back what lambda exceeds 2/lr by.
    Pairs and n are looked at every few steps: without an oscillation they turn slowly. Source: Damian et al., arXiv
    2209.15594, section 4. Axes: B members, P parameters.
    """

    def __init__(self, objective: Objective, gradients: Gradients, every: int) -> None:
        self._objective, self._gradients, self._every = objective, gradients, every
        self._calls = 0
        self._pairs: EigenPairs | None = None
        self._rise: Tensor | None = None

    def __call__(self, ensemble: Ensemble) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """The losses as they are, and the gradient that keeps to the trajectory."""
        losses, gradients = self._gradients(ensemble)
        if self._calls % self._every == 0:
            self._look(ensemble.params)
        self._calls += 1
        assert self._pairs is not None
        assert self._rise is not None
        return losses, held(gradients, ensemble.lr, self._pairs.values[:, 0], self._pairs.vectors[:, 0], self._rise)

    def _look(self, params: Float[Tensor, "B P"]) -> None:
        local = curvature(self._objective, params)
        before = self._pairs
        self._pairs = top(local, 1) if before is None else track(local, before, _TOLERANCE, _MOST_ITERATIONS)
        self._rise = sharpness_gradient(self._objective, params, self._pairs.vectors[:, 0])


def held(
    gradients: Float[Tensor, "B P"],
    lr: Float[Tensor, " B"],
    sharpness: Float[Tensor, " B"],
    vectors: Float[Tensor, "B P"],
    rise: Float[Tensor, "B P"],
) -> Float[Tensor, "B P"]:
    """The constrained gradient; `rise` is the gradient of the sharpness. A member that has no sharpness keeps its own."""
    across = (gradients * vectors).sum(1, keepdim=True)
    along = gradients - across * vectors
    sideways = rise - (rise * vectors).sum(1, keepdim=True) * vectors
    steepness = sideways.norm(dim=1, keepdim=True).clamp(min=torch.finfo(rise.dtype).tiny)
    outward = sideways / steepness
    rate, sharp = lr[:, None], sharpness[:, None]
    excess = sharp - 2 / rate
    pull = (along * outward).sum(1, keepdim=True)
    along = along - torch.where(excess > 0, pull.clamp(max=0), 0.0) * outward
    back = excess.clamp(min=0) / steepness / rate
    constrained = along + across / (rate * sharp) * vectors + back * outward
    usable = constrained.isfinite().all(1, keepdim=True) & (sharp > 0)
    return torch.where(usable, constrained, gradients)


def sharpness_gradient(
    objective: Objective, params: Float[Tensor, "B P"], vectors: Float[Tensor, "B P"]
) -> Float[Tensor, "B P"]:
    """The gradient of v.H v by the parameters, v held still: a second difference of the loss's gradient along v.

    The step is the fourth root of the rounding unit, where rounding and curvature of the difference are about equal.
    """
    step = torch.finfo(params.dtype).eps ** 0.25
    ahead, here, behind = (objective.gradient(params + shift * vectors)[1] for shift in (step, 0.0, -step))
    rise: Tensor = (ahead - 2 * here + behind) / step**2
    return rise
