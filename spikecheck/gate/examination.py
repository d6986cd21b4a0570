"""An optimizer looked over before it is gated: whether it can be trained, gone on with and linearised."""

from collections.abc import Iterator

import torch

from spikecheck.core.finding import Finding
from spikecheck.core.scorecard import Contestant
from spikecheck.core.setting import Setting
from spikecheck.dynamics.instances import Abilities
from spikecheck.dynamics.named import NamedOptimizer
from spikecheck.dynamics.rules import rule_for, threshold_of
from spikecheck.dynamics.train import begin, train
from spikecheck.dynamics.updates import UpdateRule
from spikecheck.gate.suite import trained_by
from spikecheck.problems.objective import Objective, objective

_STEPS = 100
_MEMBERS = 2
_SMALL = Setting(width=8, points=16, steps=_STEPS)


def examined(contestant: Contestant) -> list[Finding]:
    """What was seen of it on made-up gradients and on a small training.

    Raises:
        SettingError: when it cannot be used at all, with the reason.
    """
    setting = trained_by(contestant, _SMALL)
    goal = objective([setting] * _MEMBERS)
    rule = rule_for(goal)
    able = _abilities(rule.abilities, goal.size) if isinstance(rule, NamedOptimizer) else [_known(setting)]
    return [*able, _trained(goal, rule, setting)]


def _abilities(able: Abilities, size: int) -> Iterator[Finding]:
    yield Finding(True, "made, and stepped twice from the same gradients to the same numbers")
    yield Finding(
        able.together,
        "elementwise: one instance gives the bits of one a member" if able.together else "one instance a member",
        "" if able.together else "a step takes many times as long; nothing else is lost",
    )
    yield Finding(
        not able.closure,
        "step() wants a closure" if able.closure else "step() needs no closure",
        "it sees the full batch, so batch, gradient_noise and clip cannot be set" if able.closure else "",
    )
    if able.averages:
        yield Finding(
            True, "has train() and eval()", "losses are those of training, the end is looked at as eval() shows it"
        )
    yield Finding(
        not able.resumes,
        "goes on from its state_dict to the same bits"
        if not able.resumes
        else f"cannot be gone on with: {able.resumes}",
        "" if not able.resumes else "it can be gated; nothing is forked from its runs, and the late edge has no figure",
    )
    if not able.resumes:
        yield Finding(True, f"its state_dict holds {able.numbers} numbers for {size} parameters")


def _known(setting: Setting) -> Finding:
    threshold = threshold_of(setting)
    said = "none is known" if threshold is None else f"{threshold:.4g} at this rate"
    return Finding(True, f"spikecheck's own rule; stability threshold: {said}")


def _silent(steps: int) -> None:
    """A hundred steps are over before they could be told."""


def _trained(goal: Objective, rule: UpdateRule, setting: Setting) -> Finding:
    lr = torch.full((_MEMBERS,), setting.lr, dtype=torch.float64)
    start = begin(goal, rule, goal.initial(range(_MEMBERS)), lr)
    losses = train(goal, rule, start, torch.full((_MEMBERS,), _STEPS), _silent).loss[:, 0]
    first, last = float(losses[0]), float(losses[-1])
    if not losses.isfinite().all():
        return Finding(False, f"{_STEPS} steps on a small net diverge at lr={setting.lr:g}", "give a smaller lr")
    return Finding(
        last < first,
        f"{_STEPS} steps on a small net take the loss from {first:.3g} to {last:.3g}",
        "" if last < first else "it did not fall: is lr what you meant?",
    )
