"""Sensitivity of a verdict to the numbers of its spike detector and to its cut-offs: each is halved and doubled."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from spikecheck.core.setting import Setting
from spikecheck.core.spike import SpikeDefinition
from spikecheck.core.verdict import Variation
from spikecheck.harness.claim import Arm, Claim
from spikecheck.harness.evidence import Trainer, gather, judged
from spikecheck.harness.plan import Plan, fresh_seeds

_NUMBERS: Mapping[str, type] = {"factor": float, "settle": int, "lead": int}
_LEAST = {"factor": 1.01}


def robustness(claim: Claim, lab: Trainer, plan: Plan) -> tuple[Variation, ...]:
    """Judge the claim at its reference setting, on the same fresh seeds, for every variation of its detector and cut-offs."""
    reference = claim.domain.reference
    seeds = fresh_seeds(plan.seed, reference, plan.fresh_seeds)
    variants = []
    for name, varied in variations(claim).items():
        judgement = judged(varied, gather(varied, lab, {reference: seeds})[reference], 1.0 - claim.predicts.level)
        variants.append(Variation(name=name, judgement=judgement))
    return tuple(variants)


def variations(claim: Claim) -> dict[str, Claim]:
    """The claim with each cut-off changed and, if it detects spikes, each number of their definition halved and doubled."""
    variants = {name: claim.under(name) for name in claim.cutoffs}
    if not claim.detects_spikes:
        return variants
    for number, kind in _NUMBERS.items():
        value = getattr(claim.definition, number)
        for word, times in (("half", 0.5), ("twice", 2.0)):
            changed = max(kind(value * times), _LEAST.get(number, kind(1)))
            variants[f"spike's {number} {word}: {changed:g}"] = redefined(claim, {number: changed})
    return variants


def redefined(claim: Claim, changes: Mapping[str, float]) -> Claim:
    """The claim with another spike definition, both for its own detection and in its probe and forks."""

    def changed(definition: SpikeDefinition) -> SpikeDefinition:
        return SpikeDefinition(**{**definition.model_dump(), **changes})

    def rearmed(arm: Arm) -> Callable[[Setting], Setting]:
        def altered(setting: Setting) -> Setting:
            armed = arm(setting)
            if armed.intervention is None:
                return armed
            own = changed(armed.intervention.definition)
            return armed.but(intervention=armed.intervention.model_copy(update={"definition": own}))

        return altered

    probe = claim.probe
    if probe is not None and hasattr(probe, "definition"):
        probe = probe.model_copy(update={"definition": changed(probe.definition)})
    return replace(
        claim,
        definition=changed(claim.definition),
        arms={name: rearmed(arm) for name, arm in claim.arms.items()},
        probe=probe,
    )
