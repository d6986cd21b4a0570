"""Measurements on members while they train: eigenpairs at every step or checkpoint, and the motion along them."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import comb

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikecheck.curvature.eigenpairs import EigenPairs, top, track
from spikecheck.curvature.hessian import LocalCurvature, curvature, gradient_curvature
from spikecheck.objective.objective import Objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import UpdateRule
from spikecheck.tensors.seeding import generator_of
from spikecheck.training.gradients import FullBatch, Gradients, full_batch
from spikecheck.training.loop import Tick
from spikecheck.training.one_update import update

# Relative residual at which a tracked pair counts as found, and the most iterations per step. An eigenvalue's error is of the
# order of the residual squared, so at 1e-3 eigenvalues are right to about 1e-6.
TOLERANCE = 1e-3
MOST_ITERATIONS = 8

# The oscillation across the valley alternates from step to step, while everything else moves smoothly. A small oscillation is
# hidden in that drift. Each difference in time doubles the oscillation and reduces the drift many times over.
DIFFERENCES = 8
_WEIGHTS = tuple((-1.0) ** j * comb(DIFFERENCES, j) / 2**DIFFERENCES for j in range(DIFFERENCES + 1))


@dataclass(frozen=True)
class Dissection:
    """Measurements at every step of a window of training.

    Axes: W steps of the longest member, B members, K eigenpairs, M held-out points, O outputs, P parameters.
    """

    loss: Float[Tensor, "W B"]
    sharpness: Float[Tensor, "W B K"]
    residual: Float[Tensor, "W B K"]
    swing: Float[Tensor, "W B K"]
    """The gradient's oscillation at step t along v_k(t); not meaningful in the first `DIFFERENCES` steps."""
    next_swing: Float[Tensor, "W B K"]
    """The oscillation at step t + 1 along the same v_k(t)."""
    gradient_curvature: Float[Tensor, "W B"]
    outputs: Float[Tensor, "W B M O"] | None
    """Outputs on the held-out points; None unless requested."""
    captured: Mapping[str, Float[Tensor, "B P"]]
    """Parameters at the requested landmarks, by name."""
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
    gradients: Gradients | None = None,
    outputs: bool = False,
) -> Dissection:
    """Train like `train`, and compute every member's top `pairs` eigenpairs at every step.

    The motion across the valley is measured by the gradient's "swing", its difference of order `DIFFERENCES` in time. The
    first step's pairs are exact where that is affordable; later pairs are tracked. Where the rule has a preconditioner P, the
    pairs are those of P^-1/2 H P^-1/2, and the gradient is given in the same coordinates.
    """
    longest = int((until - ensemble.done).clamp(min=0).max())
    shape = (longest + 1, ensemble.members)
    like = ensemble.params
    loss, along_gradient = like.new_zeros(shape), like.new_zeros(shape)
    seen: Tensor | None = None
    sharpness, residual, swing, next_swing = (like.new_zeros(*shape, pairs) for _ in range(4))
    captured = {name: torch.zeros_like(like) for name in landmarks or {}}
    followed = full_batch(objective) if gradients is None else gradients
    full = isinstance(followed, FullBatch) and followed.objective is objective
    tracked: EigenPairs | None = None
    recent: deque[Tensor] = deque(maxlen=len(_WEIGHTS))
    for step in range(longest + 1):
        for name, wanted in (landmarks or {}).items():
            captured[name] = torch.where((ensemble.done == wanted)[:, None], ensemble.params, captured[name])
        plain, local, grads = _local(objective, rule, ensemble)
        recent.appendleft(grads)
        swung = torch.stack([w * g for w, g in zip(_WEIGHTS, recent, strict=False)]).sum(0)
        if tracked is not None:
            next_swing[step - 1] = _along(swung, tracked, pairs)
        tracked = top(local, pairs) if tracked is None else track(local, tracked, TOLERANCE, MOST_ITERATIONS)
        # The update needs the training's own gradient: the curvature's, where it comes from a graph, is rounded differently.
        known = full and plain.written_out
        loss[step], gradient = (plain.losses, plain.gradients) if known else followed(ensemble)
        along_gradient[step] = gradient_curvature(local)
        if outputs:
            at_points = objective.test_outputs(ensemble.params)
            # Allocated once: small tensors kept between large temporary ones would fragment the heap, so that every step would
            # need new memory for its large ones.
            seen = like.new_zeros(longest + 1, *at_points.shape) if seen is None else seen
            seen[step] = at_points
        sharpness[step], residual[step] = tracked.values[:, :pairs], tracked.residuals[:, :pairs]
        swing[step] = _along(swung, tracked, pairs)
        ensemble = update(rule, ensemble, loss[step], gradient, until, along)
        tick(ensemble.members)
    return Dissection(loss, sharpness, residual, swing, next_swing, along_gradient, seen, captured, rule.kept(ensemble))


def trace(
    objective: Objective, rule: UpdateRule, states: tuple[Ensemble, ...]
) -> tuple[Float[Tensor, "W B"], Float[Tensor, "W B"]]:
    """Sharpness and its relative residual at each of W consecutive states."""
    tracked = [pairs for _, pairs in _first_pairs(objective, rule, states)]
    return torch.stack([pairs.values[:, 0] for pairs in tracked]), torch.stack(
        [pairs.residuals[:, 0] for pairs in tracked]
    )


@dataclass(frozen=True)
class Waypoints:
    """Measurements at a training's checkpoints. Axes: C checkpoints, B members, M held-out points, O outputs."""

    sharpness: Float[Tensor, "C B"]
    residual: Float[Tensor, "C B"]
    gradient_curvature: Float[Tensor, "C B"]
    outputs: Float[Tensor, "C B M O"]


def trail(objective: Objective, rule: UpdateRule, states: tuple[Ensemble, ...]) -> Waypoints:
    """Sharpness, curvature along the gradient and held-out outputs at each of C consecutive states."""
    seen = [
        (pairs.values[:, 0], pairs.residuals[:, 0], gradient_curvature(local), objective.test_outputs(state.params))
        for state, (local, pairs) in zip(states, _first_pairs(objective, rule, states), strict=True)
    ]
    sharpness, residual, along, outputs = (torch.stack(parts) for parts in zip(*seen, strict=True))
    return Waypoints(sharpness, residual, along, outputs)


@dataclass(frozen=True)
class EigendirectionResponse:
    """How outputs change along eigendirections.

    Axes: B members, K pairs, R random directions, N training points, M held-out points, O outputs.
    """

    values: Float[Tensor, "B K"]
    residuals: Float[Tensor, "B K"]
    deviation: Float[Tensor, "B K M O"]
    """J v_k on the held-out points: the change of the outputs per unit length along v_k."""
    outputs: Float[Tensor, "B M O"]
    train_outputs: Float[Tensor, "B N O"]
    own: Float[Tensor, "B M O"]
    """J J'r: the change of the outputs along J'r, the gradient direction of the held-out residual r."""
    random: Float[Tensor, "B R M O"] | None
    """J u along every member's random directions u; None without random directions."""


def directions(
    objective: Objective, params: Float[Tensor, "B P"], pairs: int, random: Float[Tensor, "B R P"] | None = None
) -> EigendirectionResponse:
    """How held-out outputs change along the top eigendirections of the training loss and along `random` unit vectors.

    J v is the derivative by u of (J'u).v, which is linear in u. So it takes one backward pass per direction, whatever the
    number of points, and works wherever Hessians do; torch's forward mode supports fewer modules than double differentiation.
    """
    top_pairs = top(curvature(objective, params), pairs)
    here = params.detach().requires_grad_()
    with torch.enable_grad():
        residual = objective.residual(here)
        probe = torch.zeros_like(residual, requires_grad=True)
        (pulled,) = torch.autograd.grad(residual, here, probe, create_graph=True)
    (spanned,) = torch.autograd.grad(residual, here, residual.detach(), retain_graph=True)

    def moved(direction: Tensor) -> Tensor:
        (change,) = torch.autograd.grad(pulled, probe, direction, retain_graph=True)
        return change

    return EigendirectionResponse(
        values=top_pairs.values,
        residuals=top_pairs.residuals,
        deviation=torch.stack([moved(top_pairs.vectors[:, rank]) for rank in range(pairs)], 1),
        random=None if random is None else torch.stack([moved(direction) for direction in random.unbind(1)], 1),
        outputs=objective.test_outputs(params),
        train_outputs=objective.outputs(params, objective.train.x).detach(),
        own=moved(spanned),
    )


def random_directions(seeds: Sequence[int], count: int, like: Float[Tensor, "B P"]) -> Float[Tensor, "B R P"]:
    """Unit vectors drawn uniformly from the sphere for every seed. A larger `count` begins with the same vectors."""
    rows = torch.stack([_drawn(generator_of(seed, "directions"), count, like.shape[1]) for seed in seeds])
    return rows.to(like)


def _drawn(generator: torch.Generator, count: int, size: int) -> Float[Tensor, "R P"]:
    # Drawn one by one: torch draws few and many numbers in different ways, so the numbers of one call depend on its size.
    rows = [torch.randn(size, generator=generator, dtype=torch.float64) for _ in range(count)]
    return torch.stack([row / row.square().sum().sqrt() for row in rows])


def top_directions(objective: Objective, ensemble: Ensemble, pairs: int) -> Float[Tensor, "B K P"]:
    """Every member's unit eigenvectors of its largest eigenvalues."""
    return top(curvature(objective, ensemble.params), pairs).vectors


def _first_pairs(
    objective: Objective, rule: UpdateRule, states: tuple[Ensemble, ...]
) -> Iterator[tuple[LocalCurvature, EigenPairs]]:
    """Yield curvature and first eigenpair at each of some consecutive states."""
    tracked: EigenPairs | None = None
    for state in states:
        _, local, _ = _local(objective, rule, state)
        tracked = top(local, 1) if tracked is None else track(local, tracked, TOLERANCE, MOST_ITERATIONS)
        yield local, tracked


def _local(
    objective: Objective, rule: UpdateRule, ensemble: Ensemble
) -> tuple[LocalCurvature, LocalCurvature, Float[Tensor, "B P"]]:
    """Curvature in the parameters; curvature and gradient in the coordinates in which the rule takes plain gradient steps."""
    plain = curvature(objective, ensemble.params)
    diagonal = rule.preconditioner(dict(ensemble.slots), ensemble.done[:, None])
    if diagonal is None:
        return plain, plain, plain.gradients
    return plain, plain.preconditioned(diagonal), plain.gradients / diagonal.sqrt()


def _along(gradients: Float[Tensor, "B P"], tracked: EigenPairs, pairs: int) -> Float[Tensor, "B K"]:
    # multiply and sum: a batched matrix product rounds by memory alignment, and so by a member's place
    return (gradients[:, None] * tracked.vectors[:, :pairs]).sum(-1)
