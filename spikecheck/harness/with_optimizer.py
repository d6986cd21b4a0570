"""A claim asked about another optimizer than its own."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from spikecheck.core.errors import SpikecheckError
from spikecheck.core.setting import OPTIMIZERS, Setting
from spikecheck.harness.claim import Arm, Claim
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.objective.objective import build_objective
from spikecheck.optimizers.torch_optimizer import NamedOptimizer
from spikecheck.training.rule_for import rule_for, threshold_of

_ITS_NUMBERS = frozenset({"optimizer", "options", *(name for numbers in OPTIMIZERS.values() for name in numbers)})


def under(claim: Claim, optimizer: str, numbers: Mapping[str, Any]) -> Claim | str:
    """The claim with this optimizer in every setting, or why it cannot be asked about it.

    `numbers` are lr and what else the optimizer is given. The claim's ladder of learning rates is stretched so that its first
    rung is lr; conditions of its own optimizer that vary are dropped.
    """
    if claim.rules == "own" or claim.domain.reference.optimizer != "gd":
        return "is about an update rule of its own"
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
        return "needs a formula for the stability threshold; stability-law asks without one"
    if resumes and _goes_back(claim):
        return f"goes back to steps in the middle of runs, and {resumes}"
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
    """The claims that can be asked about this optimizer, and by id why the others cannot."""
    asked, left_out = [], {}
    for claim in claims:
        found = under(claim, optimizer, numbers)
        if isinstance(found, str):
            left_out[claim.id] = found
        else:
            asked.append(found)
    return asked, left_out


def _options(optimizer: str, numbers: Mapping[str, Any]) -> tuple[str, ...]:
    """A command's words that ask the same; values as Python's literals, so that text which looks like a number stays text."""
    pairs = [word for name, value in numbers.items() for word in ("--set", f"{name}={value!r}")]
    return ("--optimizer", optimizer, *pairs)


def conditions_of(optimizer: str, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """The optimizer and its numbers, among them `lr`, as conditions of a setting."""
    rest = {name: value for name, value in numbers.items() if name != "lr"}
    if optimizer in OPTIMIZERS:
        return {"optimizer": optimizer, "lr": numbers["lr"], **rest}
    return {"optimizer": optimizer, "lr": numbers["lr"], "options": tuple(sorted(rest.items()))}


def _rated(changes: Mapping[str, Any], claim: Claim, setting: Setting) -> dict[str, Any]:
    """A setting beside the domain keeps its rate's place relative to the reference's."""
    return {**changes, "lr": changes["lr"] * setting.lr / claim.domain.reference.lr}


def _axes(domain: Domain, reference: Setting) -> dict[str, Ladder]:
    kept = {name: ladder for name, ladder in domain.axes.items() if name not in _ITS_NUMBERS}
    if "lr" in kept:
        scale = reference.lr / domain.reference.lr
        kept["lr"] = Ladder(reference.lr, *(float(f"{rung * scale:.6g}") for rung in kept["lr"].rungs[1:]))
    return kept


_LOOKED_AT = 400
"""Steps over which an optimizer is looked at before it is asked about; its trainings look at it over all of theirs."""


def _why_not_resumed(reference: Setting) -> str:
    steps = min(reference.steps, _LOOKED_AT)
    rule = rule_for(build_objective([reference.but(schedule="constant", steps=steps)]))
    return rule.abilities.resumes if isinstance(rule, NamedOptimizer) else ""


def _arms(claim: Claim) -> list[Arm]:
    return [*claim.arms.values(), *(arm for control in claim.controls for arm in (control.arms or {}).values())]


def _goes_back(claim: Claim) -> bool:
    """Whether any of its runs is gone on with from a state before its end."""
    resumed = claim.probe is not None and claim.probe.resumes
    forked = any(arm(claim.domain.reference).intervention is not None for arm in _arms(claim))
    return forked or resumed
