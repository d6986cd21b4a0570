"""What is measured on the members while they train: eigenpairs along a stretch, and the motion along them."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikecheck.dynamics.curvature import LocalCurvature, curvature
from spikecheck.dynamics.eigen import EigenPairs, top, track
from spikecheck.dynamics.ensemble import Ensemble
from spikecheck.dynamics.train import Tick, update
from spikecheck.dynamics.updates import UpdateRule
from spikecheck.problems.objective import Objective

# Relative residual at which a tracked pair counts as found, and the iterations it may take per step. An eigenvalue's
# own error is of the order of the residual squared, so 1e-3 leaves eigenvalues to about 1e-6.
TOLERANCE = 1e-3
MOST_ITERATIONS = 8

# The oscillation across the valley alternates from step to step while everything else moves smoothly; while it is small it
# hides in that drift. Each difference in time halves the drift's share many times over and doubles the oscillation's.
DIFFERENCES = 8
_WEIGHTS = tuple((-1.0) ** j * comb(DIFFERENCES, j) / 2**DIFFERENCES for j in range(DIFFERENCES + 1))


@dataclass(frozen=True)
class Dissection:
    """A stretch of training seen step by step. Axes: W steps of the longest member, B members, K eigenpairs."""

    loss: Float[Tensor, "W B"]
    sharpness: Float[Tensor, "W B K"]
    residual: Float[Tensor, "W B K"]
    swing: Float[Tensor, "W B K"]
    """The gradient's swing at t along v_k(t); not meaningful in the first `DIFFERENCES` steps."""
    next_swing: Float[Tensor, "W B K"]
    """The swing at t + 1 along the same v_k(t)."""
    captured: Mapping[str, Float[Tensor, "B P"]]
    """Parameters at the landmarks asked for."""
    end: Ensemble


def dissect(
    objective: Objective,
    rule: UpdateRule,
    ensemble: Ensemble,
    until: Int[Tensor, " B"],
    pairs: int,
    tick: Tick,
    landmarks: Mapping[str, Int[Tensor, " B"]] | None = None,
    along: Float[Tensor, "B P"] | None = None,
) -> Dissection:
    """Train like `train`, with the top `pairs` eigenpairs of every member at every step.

    The motion is seen as the gradient's swing, its difference of order `DIFFERENCES` in time.

    Start-up is exact where that is affordable, then the pairs are tracked. Where the rule has a preconditioner P, the
    pairs are those of P^-1/2 H P^-1/2 and the gradient is seen in the same coordinates.
    """
    longest = int((until - ensemble.done).clamp(min=0).max())
    shape = (longest + 1, ensemble.members)
    like = ensemble.params
    loss = like.new_zeros(shape)
    sharpness, residual, swing, next_swing = (like.new_zeros(*shape, pairs) for _ in range(4))
    captured = {name: torch.zeros_like(like) for name in landmarks or {}}
    found: EigenPairs | None = None
    recent: deque[Tensor] = deque(maxlen=len(_WEIGHTS))
    for step in range(longest + 1):
        for name, wanted in (landmarks or {}).items():
            captured[name] = torch.where((ensemble.done == wanted)[:, None], ensemble.params, captured[name])
        local, gradients = _local(objective, rule, ensemble)
        recent.appendleft(gradients)
        swung = torch.stack([w * g for w, g in zip(_WEIGHTS, recent, strict=False)]).sum(0)
        if found is not None:
            next_swing[step - 1] = _along(swung, found, pairs)
        found = top(local, pairs) if found is None else track(local, found, TOLERANCE, MOST_ITERATIONS)
        # The training's own gradient: the curvature's is rounded differently, and scaled where there is a preconditioner.
        loss[step], gradient = objective.gradient(ensemble.params)
        sharpness[step], residual[step] = found.values[:, :pairs], found.residuals[:, :pairs]
        swing[step] = _along(swung, found, pairs)
        ensemble = update(rule, ensemble, loss[step], gradient, until, along)
        tick(ensemble.members)
    return Dissection(loss, sharpness, residual, swing, next_swing, captured, ensemble)


def trace(
    objective: Objective, rule: UpdateRule, states: tuple[Ensemble, ...]
) -> tuple[Float[Tensor, "W B"], Float[Tensor, "W B"]]:
    """Sharpness and its relative residual at each of some consecutive states."""
    values, residuals = [], []
    found: EigenPairs | None = None
    for state in states:
        local, _ = _local(objective, rule, state)
        found = top(local, 1) if found is None else track(local, found, TOLERANCE, MOST_ITERATIONS)
        values.append(found.values[:, 0])
        residuals.append(found.residuals[:, 0])
    return torch.stack(values), torch.stack(residuals)


def top_direction(objective: Objective, ensemble: Ensemble) -> tuple[Float[Tensor, "B P"], Bool[Tensor, " B"]]:
    """Every member's unit eigenvector to its sharpness, and whether it converged."""
    found = top(curvature(objective, ensemble.params), 1)
    return found.vectors[:, 0], found.converged[:, 0]


def _local(objective: Objective, rule: UpdateRule, ensemble: Ensemble) -> tuple[LocalCurvature, Float[Tensor, "B P"]]:
    """Curvature and gradient in the coordinates in which the rule takes plain gradient steps."""
    local = curvature(objective, ensemble.params)
    diagonal = rule.preconditioner(dict(ensemble.slots), ensemble.done[:, None])
    if diagonal is None:
        return local, local.gradients
    return local.preconditioned(diagonal), local.gradients / diagonal.sqrt()


def _along(gradients: Float[Tensor, "B P"], found: EigenPairs, pairs: int) -> Float[Tensor, "B K"]:
    # multiply and sum, not a batched matrix product: those round by memory alignment and so by a member's place
    return (gradients[:, None] * found.vectors[:, :pairs]).sum(-1)
