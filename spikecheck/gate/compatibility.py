"""Examination of an optimizer before a gate: whether it can be trained, resumed and linearised."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch

from spikecheck.core.scorecard import OptimizerSpec
from spikecheck.core.setting import Setting
from spikecheck.gate.parity import Parity, parity
from spikecheck.gate.suite import trained_by
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.rules import UpdateRule
from spikecheck.optimizers.schedules import Scheduled
from spikecheck.optimizers.thresholds import threshold_of
from spikecheck.optimizers.torch_optimizer import NamedOptimizer
from spikecheck.training.loop import begin, train
from spikecheck.training.rule_for import rule_for

_STEPS = 100
_MEMBERS = 2
_SMALL = Setting(width=8, points=16, steps=_STEPS)


@dataclass(frozen=True)
class Finding:
    """One property of an optimizer: whether it is as desired, what was observed, and what follows from it."""

    good: bool
    seen: str
    means: str = ""
    fatal: bool = False
    """Whether this property makes every result about the optimizer unreliable."""


def examined(contestant: OptimizerSpec, conditions: Mapping[str, Any] = MappingProxyType({})) -> list[Finding]:
    """Examine an optimizer on random gradients and on a small training; `conditions` replace the training's own.

    Raises:
        SettingError: the optimizer cannot be used; the message gives the reason.
    """
    setting = trained_by(contestant, _SMALL.but(**conditions))
    objective = build_objective([setting] * _MEMBERS)
    rule = rule_for(objective)
    if not setting.named:
        return [_known(setting), _trained(objective, rule, setting)]
    driven = _driven(parity(setting), setting)
    rule = rule_for(objective)  # by now it is known whether it is elementwise
    own = rule.rule if isinstance(rule, Scheduled) else rule
    assert isinstance(own, NamedOptimizer)
    return [*_abilities(own, objective.size), driven, _trained(objective, rule, setting)]


def _driven(parity: Parity, setting: Setting) -> Finding:
    """The result of the comparison with torch's ordinary loop."""
    if parity.differs:
        means = "this is a fault of spikecheck, and no gate of this optimizer is reliable: please report it"
        return Finding(False, f"moves differently from torch's ordinary loop: {parity.differs}", means, fatal=True)
    if parity.steps < parity.wanted:
        said = f"moves as in torch's ordinary loop for {parity.steps:,} of {parity.wanted:,} steps, to the bit"
        return Finding(parity.steps > 0, said, "then the loss became infinite or NaN, or the time limit was reached")
    return Finding(True, f"moves as in torch's ordinary loop for {parity.steps:,} steps, to the bit")


def _abilities(rule: NamedOptimizer, size: int) -> Iterator[Finding]:
    able, together = rule.abilities, rule.shares_an_instance
    yield Finding(True, "can be created, and two runs on the same gradients give the same numbers")
    yield Finding(
        together,
        "elementwise: one instance gives the bits of one a member" if together else "one instance a member",
        "" if together else "a step takes many times as long; nothing else changes",
    )
    yield Finding(
        not able.closure,
        "step() wants a closure" if able.closure else "step() needs no closure",
        "inside it the loss and its gradient are those of the step's own points" if able.closure else "",
    )
    if able.averages:
        yield Finding(
            True, "has train() and eval()", "losses are those of train(); the last state is measured after eval()"
        )
    yield Finding(
        not able.resumes,
        "resumes from its state_dict to the same bits" if not able.resumes else f"cannot be resumed: {able.resumes}",
        "" if not able.resumes else "it can be gated; its runs have no forks, and the late edge is not measured",
    )
    if not able.resumes:
        yield Finding(True, f"its state_dict contains {able.numbers} numbers for {size} parameters")


def _known(setting: Setting) -> Finding:
    threshold = threshold_of(setting)
    said = "none is known" if threshold is None else f"{threshold:.4g} at this rate"
    return Finding(True, f"spikecheck's own rule; stability threshold: {said}")


def _silent(steps: int) -> None:
    """No progress is reported: a hundred steps take too little time."""


def _trained(objective: Objective, rule: UpdateRule, setting: Setting) -> Finding:
    lr = torch.full((_MEMBERS,), setting.lr, dtype=torch.float64)
    steps = min(setting.steps, _STEPS)
    start = begin(objective, rule, objective.initial(range(_MEMBERS)), lr)
    losses = train(objective, rule, start, torch.full((_MEMBERS,), steps), _silent).loss[:, 0]
    first, last = float(losses[0]), float(losses[-1])
    if not losses.isfinite().all():
        return Finding(False, f"{steps} steps on a small net diverge at lr={setting.lr:g}", "give a smaller lr")
    return Finding(
        last < first,
        f"{steps} steps on a small net take the loss from {first:.3g} to {last:.3g}",
        "" if last < first else "the loss did not fall: check lr",
    )
