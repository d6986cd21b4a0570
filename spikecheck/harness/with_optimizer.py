"""A claim verified with another optimizer than its own."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from spikecheck.core.errors import SpikecheckError
from spikecheck.core.setting import OPTIMIZERS, Setting
from spikecheck.harness.claim import Arm, Claim
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.objective.objective import build_objective
from spikecheck.optimizers.thresholds import threshold_of
from spikecheck.optimizers.torch_optimizer import NamedOptimizer
from spikecheck.training.rule_for import rule_for

_ITS_NUMBERS = frozenset({"optimizer", "options", *(name for numbers in OPTIMIZERS.values() for name in numbers)})


def under(claim: Claim, optimizer: str, numbers: Mapping[str, Any]) -> Claim | str:
    """The claim with this optimizer in every setting, or the reason why it cannot be verified with it.

    `numbers` are lr and the optimizer's other arguments. The claim's ladder of learning rates is scaled so that its first
    rung is lr; ladders over conditions of its own optimizer are dropped.
    """
    if claim.rules == "own" or claim.domain.reference.optimizer != "gd":
        return "is about a specific update rule"
    if claim.rules == "gd":
        return "uses a formula of plain gradient descent"
    changes = conditions_of(optimizer, numbers)
    try:
        reference = claim.domain.reference.but(**changes)
        for arm in _arms(claim):
            arm(reference)
        resumes = _why_not_resumed(reference)
    except SpikecheckError as error:
        return str(error)
    if claim.rules == "threshold" and threshold_of(reference) is None:
        return "needs a formula for the stability threshold; stability-law does not"
    if resumes and _goes_back(claim):
        return f"resumes runs from steps in the middle, and {resumes}"
    return replace(
        claim,
        domain=Domain(reference, **_axes(claim.domain, reference)),
        beside={name: setting.but(**_rated(changes, claim, setting)) for name, setting in claim.beside.items()},
        further={name: setting.but(**_rated(changes, claim, setting)) for name, setting in claim.further.items()},
        maps=(),
        known=(),
        asked_with=_options(optimizer, numbers),
    )


def all_under(
    claims: Iterable[Claim], optimizer: str, numbers: Mapping[str, Any]
) -> tuple[list[Claim], dict[str, str]]:
    """The claims that can be verified with this optimizer, and by id the reason why the others cannot."""
    adapted, left_out = [], {}
    for claim in claims:
        changed = under(claim, optimizer, numbers)
        if isinstance(changed, str):
            left_out[claim.id] = changed
        else:
            adapted.append(changed)
    return adapted, left_out


def _options(optimizer: str, numbers: Mapping[str, Any]) -> tuple[str, ...]:
    """The command-line options for this optimizer; values are Python literals, so that text like "1" stays text."""
    pairs = [word for name, value in numbers.items() for word in ("--set", f"{name}={value!r}")]
    return ("--optimizer", optimizer, *pairs)


def conditions_of(optimizer: str, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """The optimizer and its numbers, among them `lr`, as conditions of a setting."""
    rest = {name: value for name, value in numbers.items() if name != "lr"}
    if optimizer in OPTIMIZERS:
        return {"optimizer": optimizer, "lr": numbers["lr"], **rest}
    return {"optimizer": optimizer, "lr": numbers["lr"], "options": tuple(sorted(rest.items()))}


def _rated(changes: Mapping[str, Any], claim: Claim, setting: Setting) -> dict[str, Any]:
    """The changes to a setting off the ladders, whose learning rate keeps its ratio to the reference's."""
    return {**changes, "lr": changes["lr"] * setting.lr / claim.domain.reference.lr}


def _axes(domain: Domain, reference: Setting) -> dict[str, Ladder]:
    kept = {name: ladder for name, ladder in domain.axes.items() if name not in _ITS_NUMBERS}
    if "lr" in kept:
        scale = reference.lr / domain.reference.lr
        kept["lr"] = Ladder(reference.lr, *(float(f"{rung * scale:.6g}") for rung in kept["lr"].rungs[1:]))
    return kept


_LOOKED_AT = 400
"""Largest number of steps of the trial run that examines an optimizer; actual trainings examine it at all their steps."""


def _why_not_resumed(reference: Setting) -> str:
    steps = min(reference.steps, _LOOKED_AT)
    rule = rule_for(build_objective([reference.but(schedule="constant", steps=steps)]))
    return rule.abilities.resumes if isinstance(rule, NamedOptimizer) else ""


def _arms(claim: Claim) -> list[Arm]:
    return [*claim.arms.values(), *(arm for control in claim.controls for arm in (control.arms or {}).values())]


def _goes_back(claim: Claim) -> bool:
    """Whether any of the claim's runs is resumed from a state before its end."""
    resumed = claim.probe is not None and claim.probe.resumes
    forked = any(arm(claim.domain.reference).intervention is not None for arm in _arms(claim))
    return forked or resumed
