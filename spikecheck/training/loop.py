"""Training of an ensemble, one update of every member at a time."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikecheck.objective.objective import Objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import UpdateRule
from spikecheck.training.gradients import Gradients
from spikecheck.training.one_update import update, update_all
from spikecheck.training.segment import segments
from spikecheck.training.segment_gpu import Advance, launches

Tick = Callable[[int], None]
"""Called every few updates with the number of member-steps made since; may raise to stop the training."""

_STEPS_A_TICK = 100
_STEPS_A_LAUNCH = 500
"""Updates per launch on a GPU, unless a checkpoint is due sooner: a launch then takes some milliseconds."""


@dataclass(frozen=True)
class Trajectory:
    """A finished training, or a part of one. Axes: T updates of the longest member (T1 = T + 1), B members."""

    loss: Float[Tensor, "T1 B"]
    """The loss before every update and after the last; a member that has stopped repeats its value."""
    checkpoints: tuple[Ensemble, ...]
    """The exact states at every multiple of the stride, including the start."""
    end: Ensemble


def begin(objective: Objective, rule: UpdateRule, params: Float[Tensor, "B P"], lr: Float[Tensor, " B"]) -> Ensemble:
    """The state of an ensemble before its first update."""
    return Ensemble(
        params=params,
        slots=rule.begin(params),
        done=torch.zeros(objective.members, dtype=torch.int64, device=params.device),
        lr=rates(objective, lr, params),
        alive=torch.ones(objective.members, dtype=torch.bool, device=params.device),
    )


def rates(objective: Objective, lr: Float[Tensor, " B"], params: Float[Tensor, "B P"]) -> Float[Tensor, " B"]:
    """The learning rates in the dtype that the optimizer needs: float64 for torch's, else that of the parameters."""
    named = objective.settings[0].named
    return lr.to(params.device, torch.float64 if named else params.dtype)


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
    """Train every member until it has made `until` updates, and keep a checkpoint every `stride` updates (0: none).

    Updates follow `gradients`; by default, the objective's full-batch gradients. With `along` (unit vectors), members move
    along that direction only. `tick` receives the member-steps made, and may raise to stop.
    """
    advance = launches(objective, rule, ensemble, until, gradients) if along is None else None
    if advance is not None:
        return _launched(objective, rule, ensemble, until, tick, stride, advance)
    left = (until - ensemble.done).clamp(min=0)
    longest, together = int(left.max()), _together(ensemble, left)
    record = torch.empty(longest + 1, ensemble.members, dtype=ensemble.params.dtype, device=ensemble.params.device)
    checkpoints = []
    swift = segments(objective, rule, ensemble, until, gradients) if longest > 1 and along is None else None
    step = told = 0
    while step < longest:
        if stride and step % stride == 0:
            checkpoints.append(rule.kept(ensemble))
        if swift is not None:
            stop = _next_stop(step, stride, longest)
            swift.go(record[step:stop])
            ensemble, step = swift.ensemble(), stop
            tick((step - told) * ensemble.members)
            told = step
            continue
        losses, grads = objective.gradient(ensemble.params) if gradients is None else gradients(ensemble)
        record[step] = losses
        if step < together and math.isfinite(losses.sum().item()):  # then every one of them is finite
            ensemble = update_all(rule, ensemble, grads, along)
        else:
            ensemble, together = update(rule, ensemble, losses, grads, until, along), 0
        step += 1
        if step % _STEPS_A_TICK == 0:
            tick((step - told) * ensemble.members)
            told = step
    record[longest], _ = objective.gradient(ensemble.params)
    return Trajectory(loss=record, checkpoints=tuple(checkpoints), end=rule.kept(ensemble))


def _launched(
    objective: Objective,
    rule: UpdateRule,
    ensemble: Ensemble,
    until: Int[Tensor, " B"],
    tick: Tick,
    stride: int,
    advance: Advance,
) -> Trajectory:
    """Train as `train` does, with many updates per launch.

    At most two launches are queued, so that the progress reported to `tick` is at most one launch off.
    """
    longest = int((until - ensemble.done).clamp(min=0).max())
    record = torch.empty(longest + 1, ensemble.members, dtype=ensemble.params.dtype, device=ensemble.params.device)
    checkpoints, step, pending = [], 0, deque[tuple[torch.cuda.Event, int]]()
    while step < longest:
        if stride and step % stride == 0:
            checkpoints.append(ensemble)
        stop = min(longest, step + _STEPS_A_LAUNCH, *([step - step % stride + stride] if stride else []))
        ensemble = advance(ensemble, until, record[step:stop])
        pending.append((torch.cuda.current_stream().record_event(), (stop - step) * ensemble.members))
        while len(pending) > (1 if stop < longest else 0):
            event, made = pending.popleft()
            event.synchronize()
            tick(made)
        step = stop
    record[longest], _ = objective.gradient(ensemble.params)
    return Trajectory(loss=record, checkpoints=tuple(checkpoints), end=ensemble)


def _next_stop(step: int, stride: int, longest: int) -> int:
    """The update up to which one call may go: the next checkpoint, the next tick, or the end."""
    stops = [longest, step - step % _STEPS_A_TICK + _STEPS_A_TICK]
    return min(stops + ([step - step % stride + stride] if stride else []))


def _together(ensemble: Ensemble, left: Int[Tensor, " B"]) -> int:
    """The number of updates during which all members move, unless a loss is not finite.

    0 on an accelerator, where checking for such a loss at every step costs more than it saves.
    """
    asked_cheaply = ensemble.params.device.type == "cpu" and bool(ensemble.alive.all())
    return int(left.min()) if asked_cheaply else 0
