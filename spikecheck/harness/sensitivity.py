"""Whether a verdict hangs on a detector's numbers: each of them halved and doubled."""

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
    """The claim at its reference setting, on the same fresh seeds, under every variation of its detector and cut-offs."""
    reference = claim.domain.reference
    seeds = fresh_seeds(plan.seed, reference, plan.fresh_seeds)
    found = []
    for name, varied in variations(claim).items():
        judgement = judged(varied, gather(varied, lab, {reference: seeds})[reference], 1.0 - claim.predicts.level)
        found.append(Variation(name=name, judgement=judgement))
    return tuple(found)


def variations(claim: Claim) -> dict[str, Claim]:
    """The claim with every number of its spike definition, where it has a say, halved and doubled, and its own cut-offs."""
    found = {name: claim.under(name) for name in claim.cutoffs}
    if not claim.detects_spikes:
        return found
    for number, kind in _NUMBERS.items():
        value = getattr(claim.definition, number)
        for word, times in (("half", 0.5), ("twice", 2.0)):
            changed = max(kind(value * times), _LEAST.get(number, kind(1)))
            found[f"spike's {number} {word}: {changed:g}"] = redefined(claim, {number: changed})
    return found


def redefined(claim: Claim, changes: Mapping[str, float]) -> Claim:
    """The claim under another spike definition, everywhere: in its own, its probe's and its forks'."""

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
