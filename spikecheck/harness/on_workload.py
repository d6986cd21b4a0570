"""Which claims apply to a workload, and why the others do not, such as what they read that its training does not record."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spikecheck.core.errors import SpikecheckError
from spikecheck.core.probe import BatchSharpness, SharpnessTrace, Trail
from spikecheck.core.setting import OPTIMIZERS, Setting
from spikecheck.core.spike import NoisySpikeDefinition
from spikecheck.harness.claim import Arm, Claim
from spikecheck.harness.domain import Domain
from spikecheck.harness.source_digest import source_of
from spikecheck.optimizers.thresholds import threshold_of

RECORDED = (SharpnessTrace, Trail, BatchSharpness)
"""Probes whose records a workload's training can have; of `Trail` the curvatures alone."""
_CHANGEABLE = {"lr", "steps", "optimizer", "options", *(name for numbers in OPTIMIZERS.values() for name in numbers)}
_OTHER_PROBES: Mapping[str, str] = {
    "anatomy": "needs eigenpairs at every step of a spike",
    "directions": "needs what eigendirections do to the outputs",
    "stability": "needs the linearised update at a spike",
    "balance": "needs the gradient of the sharpness",
    "finish": "needs the linearised update",
}
_NOT_RECORDED: Mapping[str, str] = {
    '"input_weights"': "needs the input weights of a two-layer network",
    ".input_weights": "needs the input weights of a two-layer network",
    '"outputs"': "needs the network's outputs on held-out points",
    ".problem(": "needs the training and test points as arrays",
    ".snapshots": "needs the weights at landmarks",
    '"anatomy"': _OTHER_PROBES["anatomy"],
}
_SINGLE_LOSSES = ("].loss", ".trunk.loss", "run.loss")


@dataclass(frozen=True)
class Place:
    """What decides which claims apply to a workload: its optimizer, its learning rate, its losses."""

    setting: Setting
    rate_varies: str = ""
    """Why its learning rate is not one number; empty where it is."""
    gives_loss: bool = True
    noisy: bool = True
    seeds: int | None = None
    """How many are trained; None where that does not matter yet."""
    asked_with: tuple[str, ...] = ()
    """The options of the command line that name it."""


def on_workload(claim: Claim, place: Place) -> Claim | str:
    """The claim with the workload as its only setting, or the reason why it does not apply."""
    reason = next(filter(None, (check(claim, place) for check in _CHECKS)), "")
    if reason:
        return reason
    return replace(
        claim,
        domain=Domain(place.setting),
        beside={},
        further={},
        maps=(),
        known=(),
        costly=False,
        definition=NoisySpikeDefinition() if place.noisy else claim.definition,
        asked_with=() if claim.domain.reference == place.setting else place.asked_with,
    )


def all_on_workload(claims: Iterable[Claim], place: Place) -> tuple[list[Claim], dict[str, str]]:
    """The claims that apply to a workload, and by id the reason why each of the others does not."""
    adapted, left_out = [], {}
    for claim in claims:
        found = on_workload(claim, place)
        if isinstance(found, str):
            left_out[claim.id] = found
        else:
            adapted.append(found)
    return adapted, left_out


def _why_not_its_record(claim: Claim, place: Place) -> str:
    if claim.probe is not None and not isinstance(claim.probe, RECORDED):
        return _OTHER_PROBES[claim.probe.kind]
    texts = [text for function in _functions(claim) for text in source_of(function)]
    return next((why for name, why in _NOT_RECORDED.items() if any(name in text for text in texts)), "")


def _why_not_its_arms(claim: Claim, place: Place) -> str:
    for arm in _arms(claim):
        try:
            changed = arm(place.setting).differences(place.setting).keys()
        except SpikecheckError as error:
            return str(error)
        if "intervention" in changed:
            return "forks trainings in the middle"
        if others := sorted(changed - _CHANGEABLE):
            return f"compares with trainings of another {', '.join(others)}"
    return ""


def _why_not_its_rule(claim: Claim, place: Place) -> str:
    optimizer, own = place.setting.optimizer, claim.domain.reference.optimizer
    if own not in ("gd", optimizer):
        return f"is about {own}; add --optimizer {own} --set lr=…"
    if own == "gd" and claim.rules in ("gd", "own") and optimizer != "gd":
        return f"is about plain gradient descent, and {optimizer} trains; add --optimizer gd --set lr=…"
    if claim.rules == "threshold" and threshold_of(place.setting) is None:
        return f"needs a formula for the stability threshold, and none is known for {optimizer}"
    return ""


def _why_not_its_curvature(claim: Claim, place: Place) -> str:
    if claim.probe is None:
        return ""
    if not place.gives_loss:
        return "needs curvature; give the Training loss=FUNCTION of a batch"
    return f"needs one constant learning rate, and {place.rate_varies}" if place.rate_varies else ""


def _why_not_its_losses(claim: Claim, place: Place) -> str:
    """Of the effect, not of a precondition, which only chooses seeds, nor of what is planted."""
    measures = [claim.measure, *(condition.measure for condition in claim.also)]
    reads = any(name in text for measure in measures for text in source_of(measure) for name in _SINGLE_LOSSES)
    return "compares single losses, which differ from batch to batch here" if reads and place.noisy else ""


def _why_not_its_seeds(claim: Claim, place: Place) -> str:
    fewest = claim.predicts.fewest()
    few = place.seeds is not None and place.seeds < fewest
    return f"needs {fewest} seeds to hold; add --seeds {fewest}" if few else ""


_CHECKS: tuple[Callable[[Claim, Place], str], ...] = (
    _why_not_its_record,
    _why_not_its_arms,
    _why_not_its_rule,
    _why_not_its_curvature,
    _why_not_its_losses,
    _why_not_its_seeds,
)


def _arms(claim: Claim) -> list[Arm]:
    return [*claim.arms.values(), *(arm for control in claim.controls for arm in (control.arms or {}).values())]


def _functions(claim: Claim) -> Iterator[Callable[..., Any]]:
    """All that read a trial."""
    yield from (claim.measure, claim.applies, *(condition.measure for condition in claim.also))
    yield from claim.companions.values()
    for control in claim.controls:
        yield from (function for function in (control.measure, control.plant) if function is not None)
