"""From judgements to a verdict: the only place that says what the judgements mean together."""

from collections.abc import Mapping, Sequence

from spikecheck.core.judgement import Effect, Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Sighting, Verdict, finding, replay_line
from spikecheck.harness.claim import Claim
from spikecheck.harness.plan import Plan


def conclude(
    claim: Claim,
    plan: Plan,
    reference: Judgement | None,
    control: Judgement | None,
    tried: Sequence[Judgement],
    suspect: Judgement | None,
    confirmed: Judgement | None,
) -> Verdict:
    """The verdict; what is None was not reached."""
    reference = reference or _nothing(claim, claim.domain.reference)
    control = control or _nothing(claim, claim.domain.reference)
    replicates, reason = replication(reference, control)
    generalises, scope = reach(replicates, tried, suspect, confirmed)
    fails_at_reference = replicates is Outcome.FAILS
    broken = reference if fails_at_reference else confirmed if generalises is Outcome.FAILS else None
    judgements = [j for j in (reference, control, *tried, confirmed) if j is not None]
    return Verdict(
        id=claim.id,
        claims_path=claim.folder,
        asked_with=claim.asked_with,
        kind=claim.kind,
        says=claim.says,
        where=claim.where,
        rule=claim.rule,
        level=claim.predicts.level,
        floor=claim.predicts.floor,
        ceiling=claim.predicts.ceiling,
        domain={name: tuple(map(str, ladder.rungs)) for name, ladder in claim.domain.axes.items()},
        replicates=replicates,
        generalises=generalises,
        passed=passes(claim.kind, replicates, generalises),
        reason=" ".join(filter(None, [reason, scope])),
        reference=reference,
        control=control,
        control_says=claim.control.says,
        weakest=None if fails_at_reference else confirmed,
        counterexample=_sighting(claim, plan, broken) if broken is not None else None,
        elsewhere=confirmed if fails_at_reference else None,
        settings_tried=len(tried) + 1,
        settings_triggered=sum(j.outcome is not Outcome.UNTRIGGERED for j in [reference, *tried]),
        tried=tuple(tried),
        beside=_places(plan.besides(claim), tried),
        numerical_failures=sum(j.numerical_failures for j in judgements),
        runs_trained=0,
        runs_reused=0,
        seconds=0.0,
        definitions=claim.definitions,
        specification=claim.specification,
    )


def replication(reference: Judgement, control: Judgement) -> tuple[Outcome, str]:
    """The reference's outcome, if the negative control failed on the same seeds; only a toothed check can hold."""
    if reference.outcome is not Outcome.HOLDS:
        return reference.outcome, ""
    if control.outcome is Outcome.HOLDS:
        return (
            Outcome.INVALID,
            "The negative control holds too, so the check does not tell what is claimed from what is not.",
        )
    if control.outcome is Outcome.UNTRIGGERED:
        return Outcome.INVALID, "The negative control never triggered; a control that never triggers is no control."
    if control.outcome is Outcome.UNDECIDED:
        return Outcome.UNDECIDED, "The claim holds, but its negative control has not clearly failed."
    return Outcome.HOLDS, ""


def reach(
    replicates: Outcome, tried: Sequence[Judgement], suspect: Judgement | None, confirmed: Judgement | None
) -> tuple[Outcome, str]:
    """Over the domain: the reference, if it fails; else the weakest setting that the search found, on fresh seeds."""
    if replicates is Outcome.FAILS:
        return Outcome.FAILS, "The reference setting is part of the domain, and there it fails."
    if replicates is Outcome.INVALID:
        return Outcome.INVALID, ""
    if tried and suspect is None:
        return Outcome.UNTRIGGERED, "None of the drawn settings meets the precondition often enough."
    if suspect is None or confirmed is None:
        return Outcome.UNDECIDED, "The search over the domain was not finished."
    if confirmed.outcome is Outcome.UNTRIGGERED:
        return Outcome.UNDECIDED, "The weakest setting meets the precondition too rarely on fresh seeds."
    return confirmed.outcome, ""


def _places(named: Mapping[str, Setting], tried: Sequence[Judgement]) -> dict[str, int]:
    """Where among the judgements the settings with a name stand."""
    settings = [judgement.setting for judgement in tried]
    return {name: settings.index(setting) for name, setting in named.items() if setting in settings}


def passes(kind: str, replicates: Outcome, generalises: Outcome) -> bool:
    """A tendency passes when it replicates; a law also must not be refuted anywhere in its domain."""
    return replicates is Outcome.HOLDS and not (kind == "law" and generalises is Outcome.FAILS)


def _sighting(claim: Claim, plan: Plan, confirmed: Judgement) -> Sighting:
    reference = claim.domain.reference
    differs = confirmed.setting.differences(reference)
    words = (*finding(claim.id, claim.folder), *claim.asked_with)
    line = replay_line(words, confirmed.setting, reference, plan.seed, confirmed.drawn)
    return Sighting(setting=confirmed.setting, differs=differs, judgement=confirmed, replay=line)


def _nothing(claim: Claim, setting: Setting) -> Judgement:
    """A judgement of no seeds at all: what a verification that was stopped before its first tile has."""
    return Judgement(
        setting=setting,
        outcome=Outcome.UNDECIDED,
        drawn=0,
        applicable=0,
        held=0,
        low=0.0,
        high=1.0,
        required=claim.predicts.of_seeds,
        level=claim.predicts.level,
        effect=Effect(unit=claim.unit, median=None, low=None, high=None),
    )
