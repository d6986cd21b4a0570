"""Gradients that keep gradient descent from oscillating and from exceeding a ceiling on the sharpness."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.curvature.eigenpairs import EigenPairs, top, track
from spikecheck.curvature.hessian import Sloping, curvature
from spikecheck.objective.objective import Objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.training.gradients import Gradients

_TOLERANCE = 1e-3
_MOST_ITERATIONS = 8


@dataclass(frozen=True)
class _Look:
    """The eigenpair and the sharpness gradient at one step."""

    at: Float[Tensor, "B P"]
    pairs: EigenPairs
    rise: Float[Tensor, "B P"]
    """The gradient of the sharpness."""

    def expected(self, params: Float[Tensor, "B P"]) -> Float[Tensor, " B"]:
        """The sharpness at these parameters, to first order."""
        return self.pairs.values[:, 0] + (self.rise * (params - self.at)).sum(1)


class ConstrainedGradient:
    """A replacement of the gradient g, with which a step of gradient descent follows the constrained trajectory.

    With the first eigenpair (lambda, v), the unconstrained step is

        s = -lr (g - (g.v) v) - (g.v / lambda) v.

    It is gradient descent's own step, except that across the valley it goes to the bottom. The sharpness after the step is
    predicted as lambda + r.s, where r is the gradient of the sharpness. Where that exceeds the ceiling, the step is moved
    against the part of r orthogonal to v, by just enough to bring the prediction to the ceiling.

    The eigenpair and r are computed every few steps. In between, the sharpness is predicted to first order at the member's
    current parameters, so that a correction is made once and not repeated at every step. Source: Damian et al., arXiv
    2209.15594, section 4. Axes: B members, P parameters.
    """

    def __init__(self, objective: Objective, gradients: Gradients, every: int, level: float = 1.0) -> None:
        """The ceiling is `level` times 2/lr; the eigenpair is recomputed after `every` steps."""
        self._objective, self._gradients, self._every, self._level = objective, gradients, every, level
        self._calls = 0
        self._seen: _Look | None = None

    def __call__(self, ensemble: Ensemble) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """The unchanged losses [B], and the gradients [B, P] that follow the constrained trajectory."""
        losses, gradients = self._gradients(ensemble)
        due = self._calls % self._every == 0
        seen = self._look(ensemble.params) if self._seen is None or due else self._seen
        self._seen = seen
        self._calls += 1
        sharpness, ceiling = seen.expected(ensemble.params), self._level * 2 / ensemble.lr
        return losses, held(gradients, ensemble.lr, ceiling, sharpness, seen.pairs.vectors[:, 0], seen.rise)

    def _look(self, params: Float[Tensor, "B P"]) -> _Look:
        local, before = curvature(self._objective, params), self._seen
        pairs = top(local, 1) if before is None else track(local, before.pairs, _TOLERANCE, _MOST_ITERATIONS)
        # Where nothing is rounded by a graph, the gradient in the middle is there already.
        here = local.gradients if local.written_out else None
        return _Look(params, pairs, slope_and_rise(self._objective, params, pairs.vectors[:, 0], here)[1])


def held(
    gradients: Float[Tensor, "B P"],
    lr: Float[Tensor, " B"],
    ceiling: Float[Tensor, " B"],
    sharpness: Float[Tensor, " B"],
    vectors: Float[Tensor, "B P"],
    rise: Float[Tensor, "B P"],
) -> Float[Tensor, "B P"]:
    """The gradient whose step leads to a predicted sharpness of at most `ceiling`.

    `vectors` are unit top eigenvectors, `rise` is the gradient of the sharpness. A member whose sharpness is not finite or
    not positive keeps its own gradient.
    """
    rate, sharp = lr[:, None], sharpness[:, None]
    across = (gradients * vectors).sum(1, keepdim=True)
    along = gradients - across * vectors
    free = along + across / (rate * sharp) * vectors
    sideways = rise - (rise * vectors).sum(1, keepdim=True) * vectors
    steepness = sideways.square().sum(1, keepdim=True).clamp(min=torch.finfo(rise.dtype).tiny)
    excess = sharp - rate * (rise * free).sum(1, keepdim=True) - ceiling[:, None]
    constrained = free + excess.clamp(min=0) / (rate * steepness) * sideways
    usable = constrained.isfinite().all(1, keepdim=True) & (sharp > 0)
    return torch.where(usable, constrained, gradients)


def sharpness_gradient(
    objective: Sloping, params: Float[Tensor, "B P"], vectors: Float[Tensor, "B P"]
) -> Float[Tensor, "B P"]:
    """The gradient of v.H v with respect to the parameters, for fixed v."""
    return slope_and_rise(objective, params, vectors)[1]


def slope_and_rise(
    objective: Sloping,
    params: Float[Tensor, "B P"],
    vectors: Float[Tensor, "B P"],
    here: Float[Tensor, "B P"] | None = None,
) -> tuple[Float[Tensor, "B P"], Float[Tensor, "B P"]]:
    """The loss's gradient, and its second difference along v, which is the gradient of v.H v for fixed v.

    The step is the fourth root of machine epsilon, where rounding error and truncation error are about equal. `here` is the
    gradient itself, where it is known.
    """
    step = torch.finfo(params.dtype).eps ** 0.25
    ahead, behind = (objective.gradient(params + shift * vectors)[1] for shift in (step, -step))
    here = objective.gradient(params)[1] if here is None else here
    return here, (ahead - 2 * here + behind) / step**2
