"""Verification of a claim: judge the reference, search the domain, shrink a failure, confirm it on fresh seeds."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from spikecheck.core.errors import ClaimError, SettingError, Stopped
from spikecheck.core.events import ClaimFinished, Observer, StageStarted, ignore
from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.reach import Reach
from spikecheck.core.recipe import Recipe
from spikecheck.core.scope import Scope
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Trace, Variation, Verdict
from spikecheck.harness.answer import Inquiry
from spikecheck.harness.claim import Claim
from spikecheck.harness.conclude import SUSPECT, conclude
from spikecheck.harness.evidence import Trainer, gather, judged, needed
from spikecheck.harness.maps import grid, survey
from spikecheck.harness.plan import Plan, fresh_seeds, search_seeds
from spikecheck.harness.reach import reach, sampled
from spikecheck.harness.search import search, searched_settings, shrunk, suspect_of
from spikecheck.harness.sensitivity import robustness
from spikecheck.harness.typical_run import typical_trace


@dataclass(frozen=True)
class Findings:
    """Results of a verification other than its answers; after an interruption, the results up to then."""

    typical: Trace | None = None
    tried: tuple[Judgement, ...] = ()
    """Judgements of the search, without the reference setting."""
    suspect: Judgement | None = None
    """The weakest setting after shrinking, or the strongest one if the claim fails at the reference."""
    reach: Reach | None = None
    robustness: tuple[Variation, ...] = ()
    scopes: tuple[Scope, ...] = ()
    """The claim's maps."""


def verify(claim: Claim, lab: Trainer, plan: Plan, observe: Observer = ignore) -> Verdict:
    """Verify a claim: whether it replicates at its reference setting, and whether it generalises over its domain.

    After Ctrl-C or a spent budget, the verdict is that of the results up to then, and `lab.stopped` is the reason.

    Raises:
        ClaimError: one of the claim's own functions raised, or its rule needs more seeds than the plan trains.
    """
    plan = plan.of(claim)
    _check_seeds(claim, plan)
    _check_domain(claim, plan)
    started, trained, reused = time.monotonic(), getattr(lab, "runs_trained", 0), getattr(lab, "runs_reused", 0)
    inquiry, findings = Inquiry(claim, lab, plan.seed, observe), Findings()
    with suppress(Stopped):
        evidence, reference = inquiry.answer(claim.domain.reference, "reference", "reference", plan.sizes)
        findings = replace(findings, typical=typical_trace(claim, lab, evidence))

        fails = reference.outcome is Outcome.FAILS
        tried = search(claim, lab, plan, observe, searched_settings(claim, plan))
        findings = replace(findings, tried=tried, suspect=suspect_of(claim, tried, fails_at_reference=fails))
        for _ in range(0 if fails else plan.descents):
            if (nearer := shrunk(claim, lab, plan, observe, findings.suspect)) is None:
                break
            findings = replace(findings, suspect=nearer)
        if findings.suspect is not None:
            inquiry.answer(findings.suspect.setting, SUSPECT, "confirmation", plan.sizes)

        for name, setting in plan.besides(claim).items():
            inquiry.beside(setting, name, plan.beside_sizes)
        findings = replace(findings, reach=reach(claim, lab, plan, observe))
        findings = replace(findings, robustness=_variations(claim, lab, plan, observe))
        for wanted in claim.maps if plan.maps else ():
            scope = survey(claim, lab, grid(claim, wanted), plan.search_seeds, plan.seed, observe)
            findings = replace(findings, scopes=(*findings.scopes, scope))

    verdict = conclude(claim, plan, inquiry.reached, findings.tried, findings.suspect).model_copy(
        update={
            "typical": findings.typical,
            "robustness": findings.robustness,
            "reach": findings.reach,
            "scopes": findings.scopes,
            "seconds": time.monotonic() - started,
            "runs_trained": getattr(lab, "runs_trained", 0) - trained,
            "runs_reused": getattr(lab, "runs_reused", 0) - reused,
        }
    )
    observe(ClaimFinished(verdict))
    return verdict


def certain_rounds(claim: Claim, plan: Plan) -> Iterator[list[Recipe]]:
    """The requests that a verification makes whatever its results, in order, so that they can be trained in advance."""
    fresh, searched, sample = certain_blocks(claim, plan)
    positives = [claim.as_control(claim.positive)] if claim.positive is not None else []
    reference = {claim.domain.reference: fresh.pop(claim.domain.reference)}
    for judged_there in (claim, claim.as_control(claim.control), *positives):
        yield needed(judged_there, reference)
    yield needed(claim, searched)
    for setting, seeds in fresh.items():
        for judged_there in (claim, *positives):
            yield needed(judged_there, {setting: seeds})
    yield needed(claim, sample)


def certain_blocks(claim: Claim, plan: Plan) -> list[dict[Setting, Sequence[int]]]:
    """The settings that a verification judges whatever its results, with their seeds: fresh, of the search, of the reach."""
    plan, reference = plan.of(claim), claim.domain.reference
    fresh: dict[Setting, Sequence[int]] = {reference: fresh_seeds(plan.seed, reference, plan.fresh_seeds)}
    fresh |= {s: fresh_seeds(plan.seed, s, *plan.beside_sizes) for s in plan.besides(claim).values()}
    searched = {s: search_seeds(plan.seed, s, plan.search_seeds) for s in searched_settings(claim, plan)}
    return [fresh, {**searched}, sampled(claim, plan)]


def replay(claim: Claim, lab: Trainer, setting: Setting, seeds: Sequence[int]) -> Judgement:
    """Judge one setting on the given seeds, at the claim's own level."""
    return judged(claim, gather(claim, lab, {setting: seeds})[setting], 1.0 - claim.predicts.level)


def _variations(claim: Claim, lab: Trainer, plan: Plan, observe: Observer) -> tuple[Variation, ...]:
    """Judge the reference with the detector's numbers and the cut-offs changed, if the plan says so."""
    if not plan.variations:
        return ()
    observe(StageStarted(claim.id, "variations", 1, plan.fresh_seeds))
    return robustness(claim, lab, plan)


def _check_seeds(claim: Claim, plan: Plan) -> None:
    """Refuse a claim whose rule needs more seeds than the plan trains."""
    most, fewest = plan.sizes[-1], claim.predicts.fewest()
    if fewest > most:
        raise ClaimError(
            f"claim {claim.id!r}: its rule, {claim.rule}, needs {fewest} seeds, and {most} are trained at most; "
            "use --profile full (256 seeds), or a rule that needs fewer"
        )


def _check_domain(claim: Claim, plan: Plan) -> None:
    """Refuse a claim whose ladders meet in a setting that cannot be, before anything is trained for it."""
    try:
        searched_settings(claim, plan)
        sampled(claim, plan)
    except SettingError as error:
        raise ClaimError(
            f"claim {claim.id!r}: its domain contains a setting that cannot be trained: {error}"
        ) from error
