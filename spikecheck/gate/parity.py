"""Whether an optimizer moves here as it moves in torch's ordinary loop: `zero_grad`, `backward`, `step`.

Both start from the same parameters and take the same gradients, so that they must agree to the bit, step after step.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from spikecheck.core.errors import SettingError
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.batching import padded, seconds
from spikecheck.lab.execution.local import one_thread
from spikecheck.models.parameter_layout import Span, spans, torchs_order
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.driven import Driven, OptimizerFactory, own_random_numbers, same_bits, seed_draws
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.instances import Coupled
from spikecheck.optimizers.schedules import Scheduled
from spikecheck.optimizers.torch_optimizer import NamedOptimizer
from spikecheck.training.gradients import followed
from spikecheck.training.loop import begin
from spikecheck.training.one_update import update_all
from spikecheck.training.rule_for import rule_for

MEMBERS = 2
_A_STEP = 0.003
"""Seconds that the optimizers' own Python takes at every step of a comparison, on a usual core."""
SECONDS = 20.0
"""A comparison stops after so long; only dear trainings are not compared to their end."""


_TOLD_EVERY = 50
Tick = Callable[[int], None]


def unheard(steps: int) -> None:
    """Nobody asks how far it is."""


@dataclass(frozen=True)
class Parity:
    """Up to which step two ways of driving an optimizer agree to the bit."""

    steps: int
    """How many were compared."""
    wanted: int
    """How many the training has."""
    differs: str = ""
    """Where they part: the first step, the parameter and its two values; empty where they do not."""


def parity(setting: Setting, limit: float = SECONDS, tick: Tick = unheard) -> Parity:
    """Trains two members of a setting here and in an ordinary loop, in lock-step; `tick` is told the steps made.

    Raises:
        SettingError: when the setting's optimizer cannot be used.
    """
    objective = build_objective([setting] * MEMBERS)
    with one_thread("cpu"):  # two threads that share a busy core wait for each other at every step
        try:
            return _compared(objective, setting, limit, tick)
        except Coupled:  # by now it is known to need an instance a member
            return _compared(objective, setting, limit, tick)


def demand(setting: Setting, name: str, tick: Tick = unheard) -> None:
    """Raises SettingError where a named optimizer moves otherwise here than in an ordinary loop.

    spikecheck's own rules have been compared with torch's once and for all, by the tests.
    """
    if not setting.named:
        return
    if setting not in _found:
        _found[setting] = parity(setting, tick=tick)
    if differs := _found[setting].differs:
        raise SettingError(
            f"optimizer={setting.optimizer!r}: in {name} it does not move as in torch's ordinary loop: {differs}. "
            "That is spikecheck's fault, and nothing it said of this optimizer would be true; please report it"
        )


_found: dict[Setting, Parity] = {}
"""What this process has compared already."""


def parity_seconds(setting: Setting) -> float:
    """What `demand` takes, in seconds of a usual core, about."""
    if not setting.named:
        return 0.0
    alone = Recipe(setting=setting, seed=0)
    return min(setting.steps * _A_STEP + MEMBERS * seconds([alone]) / len(padded([alone])), SECONDS)


def _compared(objective: Objective, setting: Setting, limit: float, tick: Tick) -> Parity:
    rule = rule_for(objective)
    own = rule.rule if isinstance(rule, Scheduled) else rule
    assert isinstance(own, NamedOptimizer)
    start = objective.initial(range(MEMBERS))
    rates = torch.full((MEMBERS,), setting.lr, dtype=torch.float64)
    ensemble, gradients = begin(objective, rule, start, rates), followed(objective, range(MEMBERS))
    loops = [_Loop(own, objective, member, start[member]) for member in range(MEMBERS)]
    deadline = time.monotonic() + limit
    for step in range(setting.steps):
        losses, grads = gradients(ensemble)
        if not losses.isfinite().all() or time.monotonic() > deadline:
            return Parity(step, setting.steps)
        factor = _factor(rule, ensemble)
        if step and step % _TOLD_EVERY == 0:
            tick(_TOLD_EVERY)
        theirs = torch.stack([loop.step(grads[member], factor, step) for member, loop in enumerate(loops)])
        ensemble = update_all(rule, ensemble, grads)
        if not same_bits(ensemble.params, theirs):
            return Parity(step + 1, setting.steps, _where(objective, ensemble.params, theirs, step + 1))
    return Parity(setting.steps, setting.steps)


def _factor(rule: object, ensemble: Ensemble) -> float | None:
    """The schedule's, where there is one."""
    return float(rule.paced(ensemble).lr[0] / ensemble.lr[0]) if isinstance(rule, Scheduled) else None


class _Loop:
    """One model's ordinary loop."""

    def __init__(self, rule: NamedOptimizer, objective: Objective, member: int, row: Tensor) -> None:
        self._rule, self._member = rule, member
        setting = objective.settings[member]
        order = OptimizerFactory(setting.optimizer, setting.options, torchs_order(spans(objective.model))[1], row.dtype)
        self._driven: Driven = order.of(rule.in_torchs_order(row), setting.lr)
        self._full: list[Any] = [group.get("lr") for group in self._driven.optimizer.param_groups]

    def step(self, gradient: Tensor, factor: float | None, done: int) -> Tensor:
        """zero_grad, backward, step; the parameters after it."""
        optimizer = self._driven.optimizer
        if factor is not None:
            for group, full in zip(optimizer.param_groups, self._full, strict=True):
                group["lr"] = full * factor
        with own_random_numbers(gradient):
            seed_draws(gradient, self._member, done)
            optimizer.zero_grad()
            self._driven.feed(self._rule.in_torchs_order(gradient).clone())
            self._driven.step((lambda: self._evaluated(done)) if self._rule.abilities.closure else None)
        return self._rule.in_our_order(self._driven.read())

    def _evaluated(self, done: int) -> Tensor:
        self._driven.optimizer.zero_grad()
        loss, gradient = self._rule.evaluated_at(self._member, self._driven.read(), done)
        self._driven.feed(gradient)
        return gradient.new_tensor(loss)


def _where(objective: Objective, ours: Tensor, theirs: Tensor, step: int) -> str:
    member, place = (ours != theirs).nonzero()[0].tolist()
    (name,) = [span.name for span in spans(objective.model) if _holds(span, place)]
    pair = f"{ours[member, place]:.6g} here, {theirs[member, place]:.6g} there"
    return f"after step {step} {name} differs ({pair})"


def _holds(span: Span, place: int) -> bool:
    return span.start <= place < span.stop
