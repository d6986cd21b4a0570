"""From answers to a verdict: the only place that combines them."""

from collections.abc import Mapping, Sequence

from spikecheck.core.judgement import Answer, Judgement, Outcome
from spikecheck.core.replay_lines import finding
from spikecheck.core.reproduction import compared_line
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Counterexample, Verdict
from spikecheck.harness.answer import none_judged
from spikecheck.harness.claim import Claim
from spikecheck.harness.plan import Plan
from spikecheck.harness.search import searched_settings
from spikecheck.stats.prediction import as_record

SUSPECT = "suspect"
"""The role of the setting that the search selects, until its answer on fresh seeds is known."""

NOTHING_SEARCHED = "No setting but the reference was searched."
"""Why it stays undecided whether a claim generalises where its domain has no other setting, or the profile tries none."""


def conclude(
    claim: Claim,
    plan: Plan,
    answers: Mapping[str, Answer],
    tried: Sequence[Judgement],
    suspect: Judgement | None,
) -> Verdict:
    """The verdict on a claim.

    `answers` contains the answers that were reached, by role: "reference", `SUSPECT`, and the names of settings off the
    ladders. `tried` are the judgements of the search, and `suspect` is the one it selected.
    """
    reference = answers.get("reference") or _nothing(claim)
    confirmed = answers.get(SUSPECT)
    replicates = reference.outcome
    searched = bool(searched_settings(claim, plan))
    generalises, scope = reach(replicates, tried, suspect, confirmed, searched=searched)
    fails_at_reference = replicates is Outcome.FAILS
    broken = reference if fails_at_reference else confirmed if generalises is Outcome.FAILS else None
    quoted = _quoted(answers, generalises, fails_at_reference=fails_at_reference)
    judgements = [j for answer in quoted for j in (answer.judgement, answer.control, answer.positive) if j is not None]
    return Verdict(
        id=claim.id,
        claims_path=claim.folder,
        asked_with=claim.asked_with,
        registered=claim.registration,
        kind=claim.kind,
        says=claim.says,
        where=claim.where,
        rule=claim.rule,
        level=claim.predicts.level,
        floor=claim.predicts.floor,
        ceiling=claim.predicts.ceiling,
        predicts={name: value for name, value in as_record(claim.predicts).items() if value is not None},
        quotes=claim.quotes,
        reading=claim.reading,
        cannot_tell=claim.cannot_tell,
        domain={name: tuple(map(str, ladder.rungs)) for name, ladder in claim.domain.axes.items()},
        replicates=replicates,
        generalises=generalises,
        passed=passes(claim.kind, replicates, generalises),
        reason=" ".join(filter(None, [reference.reason, scope])),
        reference=reference.judgement,
        control=reference.control or none_judged(claim, claim.domain.reference),
        control_says=claim.control.says,
        contrast=reference.contrast,
        positive=reference.positive,
        positive_says=claim.positive.says if claim.positive else "",
        answers=quoted,
        weakest=None if fails_at_reference or confirmed is None else confirmed.judgement,
        counterexample=_sighting(claim, plan, broken.judgement) if broken is not None else None,
        elsewhere=confirmed.judgement if fails_at_reference and confirmed is not None else None,
        settings_tried=len(tried) + 1,
        settings_triggered=sum(j.outcome is not Outcome.UNTRIGGERED for j in [reference.judgement, *tried]),
        tried=tuple(tried),
        beside=_places(plan.besides(claim), answers),
        numerical_failures=sum(j.numerical_failures for j in [*judgements, *tried]),
        runs_trained=0,
        runs_reused=0,
        seconds=0.0,
        definitions=claim.definitions,
        specification=claim.specification,
    )


def reach(
    replicates: Outcome,
    tried: Sequence[Judgement],
    suspect: Judgement | None,
    confirmed: Answer | None,
    *,
    searched: bool = True,
) -> tuple[Outcome, str]:
    """The outcome over the domain, and the reason for it.

    The reference decides if it fails or is invalid. Otherwise the weakest setting of the search decides, on fresh seeds.
    `searched` is whether the plan searches any setting but the reference.
    """
    if replicates is Outcome.FAILS:
        return Outcome.FAILS, "The reference setting is part of the domain, and there it fails."
    if replicates is Outcome.INVALID:
        return Outcome.INVALID, ""
    if tried and suspect is None:
        return Outcome.UNTRIGGERED, "None of the drawn settings meets the precondition often enough."
    if suspect is None or confirmed is None:
        return Outcome.UNDECIDED, "The search over the domain was not finished." if searched else NOTHING_SEARCHED
    if confirmed.outcome is Outcome.UNTRIGGERED:
        return Outcome.UNDECIDED, "The weakest setting meets the precondition too rarely on fresh seeds."
    there = f"At the weakest setting: {confirmed.reason}" if confirmed.reason else ""
    return confirmed.outcome, there


def _quoted(answers: Mapping[str, Answer], generalises: Outcome, *, fails_at_reference: bool) -> tuple[Answer, ...]:
    """Every answer that the report quotes; the suspect's role becomes weakest, counterexample or strongest."""
    role = "weakest"
    if fails_at_reference:
        role = "strongest"
    elif generalises is Outcome.FAILS:
        role = "counterexample"
    return tuple(
        answer.model_copy(update={"role": role}) if name == SUSPECT else answer for name, answer in answers.items()
    )


def _places(named: Mapping[str, Setting], answers: Mapping[str, Answer]) -> dict[str, int]:
    """The indices of the named settings among the answers. A claim may call one "weakest", which is also a role."""
    reached = list(answers)
    return {name: reached.index(name) for name in named if name in reached}


def passes(kind: str, replicates: Outcome, generalises: Outcome) -> bool:
    """A tendency passes if it replicates; a law must in addition not be refuted anywhere in its domain."""
    return replicates is Outcome.HOLDS and not (kind == "law" and generalises is Outcome.FAILS)


def _sighting(claim: Claim, plan: Plan, confirmed: Judgement) -> Counterexample:
    reference = claim.domain.reference
    differs = confirmed.setting.differences(reference)
    words = (*finding(claim.id, claim.folder), *claim.asked_with)
    line = compared_line(words, confirmed, reference, plan.seed)
    return Counterexample(setting=confirmed.setting, differs=differs, judgement=confirmed, replay=line)


def _nothing(claim: Claim) -> Answer:
    """The answer of a verification that was stopped before any run was trained."""
    return Answer(role="reference", outcome=Outcome.UNDECIDED, judgement=none_judged(claim, claim.domain.reference))
