"""A claim in words: what `spikecheck explain` and reports say of its functions, arms and controls."""

import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from spikecheck.core.explanation import Explanation
from spikecheck.core.probe import Anatomy
from spikecheck.core.setting import Setting
from spikecheck.core.workload_setting import optimizer_numbers, workload_of, workload_words
from spikecheck.harness.trial import RESIDUAL_LIMIT

if TYPE_CHECKING:
    from spikecheck.harness.claim import Arm, Claim, Control

_ALWAYS_SHOWN = (
    "problem",
    "target",
    "points",
    "interval",
    "width",
    "depth",
    "activation",
    "optimizer",
    "lr",
    "steps",
    "dtype",
)
"""Conditions of the reference setting that are shown whether or not they have their defaults."""


def explanation_of(claim: "Claim") -> Explanation:
    """The claim in words, for `spikecheck explain`."""
    reference = claim.domain.reference
    return Explanation(
        id=claim.id,
        kind=claim.kind,
        says=claim.says,
        where=claim.where,
        reference=_shown(reference),
        axes={name: list(ladder.rungs) for name, ladder in claim.domain.axes.items()},
        beside={name: s.differences(reference) for name, s in {**claim.beside, **claim.further}.items()},
        arms=[(name, arm_says(claim, name, arm)) for name, arm in claim.arms.items()],
        measure=headline(claim.measure),
        unit=claim.unit,
        rule=claim.rule,
        control=control_says(claim, claim.control),
        also_not=[line for control in claim.also_not for line in control_says(claim, control)],
        positive=control_says(claim, claim.positive) if claim.positive else [],
        quotes=claim.quotes,
        reading=claim.reading,
        cannot_tell=claim.cannot_tell,
        definitions=claim.definitions,
        source=claim.source,
        workload=workload_words(reference),
        folder=claim.folder,
    )


def definitions_of(claim: "Claim") -> dict[str, str]:
    """Definitions on which the claim's verdict depends, in words, by term."""
    said = {"spike": claim.definition.says()} if claim.detects_spikes else {}
    said |= {"applies": headline(claim.applies), "effect": headline(claim.measure)}
    if isinstance(claim.probe, Anatomy):
        said["eigenpairs"] = f"relative residual of the first pair at most {RESIDUAL_LIMIT:g}, else a numerical failure"
    return said


def control_says(claim: "Claim", control: "Control") -> list[str]:
    """A control in words: its description, then the arms, the plant and the measure in which it differs."""
    said = [control.says, *(f"{name}: {arm_says(claim, name, arm)}" for name, arm in (control.arms or {}).items())]
    said += [f"planted: {headline(control.plant)}"] if control.plant else []
    return said + ([f"measured: {headline(control.measure)}"] if control.measure else [])


def _shown(reference: Setting) -> dict[str, Any]:
    """The reference's conditions; of a workload those that mean something there."""
    if (place := workload_of(reference)) is not None:
        numbers = {"optimizer": reference.optimizer, **optimizer_numbers(reference), "steps": reference.steps}
        return {"workload": place.path, **place.options, **numbers}
    return reference.differences(Setting(steps=1)) | {name: getattr(reference, name) for name in _ALWAYS_SHOWN}


def headline(function: Callable[..., Any]) -> str:
    """The first line of a docstring, without its full stop; the name where there is none.

    `described` brings words of its own. Otherwise arguments fill in the names in braces, as in `{horizon} steps`.
    """
    given: dict[str, Any] = {}
    while isinstance(function, partial) and "__doc__" not in vars(function):
        given, function = {**function.keywords, **given}, function.func
    line = (inspect.getdoc(function) or str(getattr(function, "__name__", function))).splitlines()[0].rstrip(".")
    if "{" not in line:
        return line
    parameters = inspect.signature(function).parameters.values()
    given = {p.name: p.default for p in parameters if p.default is not p.empty} | given
    return re.sub(r"\{(\w+)\}", lambda name: _plain(given.get(name[1], name[0])), line)


def _plain(value: Any) -> str:
    """As people write it: 3,000 and 0.05."""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


def arm_says(claim: "Claim", name: str, arm: "Arm") -> str:
    """An arm in words, with the conditions it changes."""
    changes = claim.arm_at_reference(name, arm).differences(claim.domain.reference)
    intervention = changes.pop("intervention", None)
    said = [f"{condition}={value!r}" for condition, value in changes.items()]
    return "; ".join([headline(arm), *said, *([intervention.says()] if intervention else [])])
