"""Training of an ensemble, one update of every member at a time."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikecheck.dynamics.ensemble import Ensemble
from spikecheck.dynamics.gradients import Gradients
from spikecheck.dynamics.segment import segments
from spikecheck.dynamics.updates import UpdateRule
from spikecheck.problems.objective import Objective

Tick = Callable[[int], None]
"""Told after every few updates how many member-steps were made; may raise to stop the training."""

_STEPS_A_TICK = 100


@dataclass(frozen=True)
class Trajectory:
    """A finished stretch of training. Axes: T updates of the longest member, B members."""

    loss: Float[Tensor, "T1 B"]
    """Before every update, and after the last; a member that stands still repeats its value."""
    checkpoints: tuple[Ensemble, ...]
    """The exact states at every multiple of the stride, the start included."""
    end: Ensemble


def begin(objective: Objective, rule: UpdateRule, params: Float[Tensor, "B P"], lr: Float[Tensor, " B"]) -> Ensemble:
    """An ensemble before its first update."""
    return Ensemble(
        params=params,
        slots=rule.begin(params),
        done=torch.zeros(objective.members, dtype=torch.int64, device=params.device),
        lr=rates(objective, lr, params),
        alive=torch.ones(objective.members, dtype=torch.bool, device=params.device),
    )


def rates(objective: Objective, lr: Float[Tensor, " B"], params: Float[Tensor, "B P"]) -> Float[Tensor, " B"]:
    """As the members' optimizers take them: those of torch are given Python's numbers, whatever the parameters are."""
    named = objective.settings[0].named
    return lr.to(params.device, torch.float64 if named else params.dtype)


def update(
    rule: UpdateRule,
    ensemble: Ensemble,
    losses: Float[Tensor, " B"],
    gradients: Float[Tensor, "B P"],
    until: Int[Tensor, " B"],
    along: Float[Tensor, "B P"] | None = None,
) -> Ensemble:
    """One update of every member that is alive and has not made `until` updates; the others stand still.

    With `along` (unit vectors) members move along that direction only.
    """
    alive = ensemble.alive & losses.isfinite()
    moving = alive & (ensemble.done < until)
    params, slots = _moved(rule, ensemble, gradients, moving, along)
    return replace(ensemble, params=params, slots=slots, done=ensemble.done + moving, alive=alive)


def update_all(
    rule: UpdateRule, ensemble: Ensemble, gradients: Float[Tensor, "B P"], along: Float[Tensor, "B P"] | None = None
) -> Ensemble:
    """One update of every member, where it is known that all of them move: without the masks, a fifth of a small step."""
    params, slots = _moved(rule, ensemble, gradients, None, along)
    return replace(ensemble, params=params, slots=slots, done=ensemble.done + 1)


def train(
    objective: Objective,
    rule: UpdateRule,
    ensemble: Ensemble,
    until: Int[Tensor, " B"],
    tick: Tick,
    stride: int = 0,
    along: Float[Tensor, "B P"] | None = None,
    gradients: Gradients | None = None,
) -> Trajectory:
    """Train every member until it has made `until` updates, keeping a checkpoint every `stride` updates (0: none).

    Updates follow `gradients`, or where there are none the objective's own, those of the full batch.
    """
    left = (until - ensemble.done).clamp(min=0)
    longest, together = int(left.max()), _together(ensemble, left)
    record = torch.empty(longest + 1, ensemble.members, dtype=ensemble.params.dtype, device=ensemble.params.device)
    checkpoints = []
    swift = segments(objective, rule, ensemble, gradients) if together > 1 and along is None else None
    step = told = 0
    while step < longest:
        if stride and step % stride == 0:
            checkpoints.append(rule.kept(ensemble))
        if swift is not None and step < together:
            made = swift.go(record[step : _next_stop(step, stride, together)])
            if made:
                ensemble, step = swift.ensemble(), step + made
                tick((step - told) * ensemble.members)
                told = step
                continue
            swift = None  # a loss is not finite
        losses, slopes = objective.gradient(ensemble.params) if gradients is None else gradients(ensemble)
        record[step] = losses
        if step < together and math.isfinite(losses.sum().item()):  # then every one of them is finite
            ensemble = update_all(rule, ensemble, slopes, along)
        else:
            ensemble, together = update(rule, ensemble, losses, slopes, until, along), 0
        step += 1
        if step % _STEPS_A_TICK == 0:
            tick((step - told) * ensemble.members)
            told = step
    record[longest], _ = objective.gradient(ensemble.params)
    return Trajectory(loss=record, checkpoints=tuple(checkpoints), end=rule.kept(ensemble))


def _next_stop(step: int, stride: int, together: int) -> int:
    """Up to which update many can be made at once: the next checkpoint, the next tick, or the end of what all members make."""
    stops = [together, step - step % _STEPS_A_TICK + _STEPS_A_TICK]
    return min(stops + ([step - step % stride + stride] if stride else []))


def _together(ensemble: Ensemble, left: Int[Tensor, " B"]) -> int:
    """For how many updates all members move unless a loss fails; 0 off the CPU, where asking at every step costs more."""
    asked_cheaply = ensemble.params.device.type == "cpu" and bool(ensemble.alive.all())
    return int(left.min()) if asked_cheaply else 0


def _moved(
    rule: UpdateRule,
    ensemble: Ensemble,
    gradients: Float[Tensor, "B P"],
    moving: Bool[Tensor, " B"] | None,
    along: Float[Tensor, "B P"] | None,
) -> tuple[Float[Tensor, "B P"], Mapping[str, Tensor]]:
    """Where one update brings every member."""
    params, slots = rule.move(ensemble, gradients, moving)
    if along is None:
        return params, slots
    motion = params - ensemble.params
    return ensemble.params + (motion * along).sum(1, keepdim=True) * along, slots
