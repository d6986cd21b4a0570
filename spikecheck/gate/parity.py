"""Comparison of an optimizer in spikecheck with torch's ordinary loop: `zero_grad`, `backward`, `step`.

Both start from the same parameters and take the same gradients, so they must agree to the bit at every step.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from spikecheck.core.activity import busy
from spikecheck.core.errors import SettingError
from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.batching import padded, seconds
from spikecheck.lab.execution.train_job import one_thread
from spikecheck.models.parameter_layout import Span, spans, torchs_order
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.driven import (
    Driven,
    OptimizerFactory,
    known_loss,
    own_random_numbers,
    rates_of,
    same_bits,
    seed_draws,
)
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
"""Seconds that the optimizers' own Python takes at every step of a comparison, on a typical core."""
SECONDS = 20.0
"""Time limit of a comparison; only expensive trainings are not compared to their end."""


_TOLD_EVERY = 50
Tick = Callable[[int], None]


def ignore_progress(steps: int) -> None:
    """Ignore progress."""


@dataclass(frozen=True)
class Parity:
    """The result of a comparison to the bit between two ways of driving an optimizer."""

    steps: int
    """Number of steps compared."""
    wanted: int
    """Number of steps of the training."""
    differs: str = ""
    """The first difference: its step, its parameter and the two values; empty if there is none."""


def parity(setting: Setting, limit: float = SECONDS, tick: Tick = ignore_progress) -> Parity:
    """Train two members of a setting in spikecheck and in an ordinary loop, in lock-step, for at most `limit` seconds.

    `tick` receives the number of steps since its last call.

    Raises:
        SettingError: the setting's optimizer cannot be used.
    """
    with busy("starting"):
        objective = build_objective([setting] * MEMBERS)
    with one_thread("cpu"):  # two threads that share a busy core wait for each other at every step
        try:
            return _compared(objective, setting, limit, tick)
        except Coupled:  # by now it is known to need one instance for each member
            return _compared(objective, setting, limit, tick)


def demand(setting: Setting, name: str, tick: Tick = ignore_progress) -> None:
    """Check that an optimizer named by MODULE:NAME moves as in an ordinary loop; `name` is the setting's name.

    Built-in rules are not checked here: the tests compare them with torch's.

    Raises:
        SettingError: the optimizer moves differently.
    """
    if not setting.named:
        return
    if setting not in _checked:
        _checked[setting] = parity(setting, tick=tick)
    if differs := _checked[setting].differs:
        raise SettingError(
            f"optimizer={setting.optimizer!r}: in {name} it does not move as in torch's ordinary loop: {differs}. "
            "This is a fault of spikecheck, and its results for this optimizer would be wrong; please report it"
        )


_checked: dict[Setting, Parity] = {}
"""Comparisons made by this process."""


def parity_seconds(setting: Setting) -> float:
    """Approximate time of `demand`, in seconds on a typical core."""
    if not setting.named:
        return 0.0
    alone = Recipe(setting=setting, seed=0)
    return min(setting.steps * _A_STEP + MEMBERS * seconds([alone]) / len(padded([alone])), SECONDS)


def _compared(objective: Objective, setting: Setting, limit: float, tick: Tick) -> Parity:
    with busy("starting"):  # torch imports its compiler with the first optimizer of a process
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
    """The schedule's factor on the learning rate; None without a schedule."""
    return float(rule.paced(ensemble).lr[0] / ensemble.lr[0]) if isinstance(rule, Scheduled) else None


class _Loop:
    """torch's ordinary loop for one model."""

    def __init__(self, rule: NamedOptimizer, objective: Objective, member: int, row: Tensor) -> None:
        self._rule, self._member = rule, member
        setting = objective.settings[member]
        order = OptimizerFactory(setting.optimizer, setting.options, torchs_order(spans(objective.model))[1], row.dtype)
        self._driven: Driven = order.of(rule.in_torchs_order(row), setting.lr)
        self._full: list[Any] = rates_of(self._driven.optimizer)

    def step(self, gradient: Tensor, factor: float | None, done: int) -> Tensor:
        """Run zero_grad, backward and step, and return the parameters."""
        optimizer = self._driven.optimizer
        if factor is not None:
            for group, full in zip(optimizer.param_groups, self._full, strict=False):
                group["lr"] = full * factor
        with own_random_numbers(gradient):
            seed_draws(gradient, self._member, done)
            optimizer.zero_grad()
            self._backward(self._rule.in_torchs_order(gradient))
            self._driven.step((lambda: self._evaluated(done)) if self._rule.abilities.closure else None)
        return self._rule.in_our_order(self._driven.read())

    def _evaluated(self, done: int) -> Tensor:
        self._driven.optimizer.zero_grad()
        loss, gradient = self._rule.evaluated_at(self._member, self._driven.read(), done)
        self._backward(gradient)
        return known_loss(loss, gradient, self._driven)

    def _backward(self, gradient: Tensor) -> None:
        """A backward pass of a loss that has this gradient [P] everywhere, by autograd itself."""
        pairs = zip(self._driven.params, self._driven.spans, strict=True)
        with torch.enable_grad():
            loss = torch.stack([(tensor * span.of(gradient)).sum() for tensor, span in pairs]).sum()
            loss.backward()  # type: ignore[no-untyped-call]


def _where(objective: Objective, ours: Tensor, theirs: Tensor, step: int) -> str:
    member, place = (ours != theirs).nonzero()[0].tolist()
    (name,) = [span.name for span in spans(objective.model) if _holds(span, place)]
    pair = f"{ours[member, place]:.6g} here, {theirs[member, place]:.6g} there"
    return f"after step {step} {name} differs ({pair})"


def _holds(span: Span, place: int) -> bool:
    return span.start <= place < span.stop
