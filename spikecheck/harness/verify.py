"""Hypothesis chooses, the laboratory trains, the judge judges, the descent shrinks, fresh seeds confirm."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from spikecheck.core.errors import ClaimError, Stopped
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
from spikecheck.harness.evidence import Trainer, gather, judged, trainings
from spikecheck.harness.maps import grid, survey
from spikecheck.harness.plan import Plan, fresh_seeds, search_seeds
from spikecheck.harness.reach import reach, sampled
from spikecheck.harness.search import search, searched_settings, shrunk, suspect_of
from spikecheck.harness.sensitivity import robustness
from spikecheck.harness.typical_run import typical_trace


@dataclass(frozen=True)
class Findings:
    """What the steps of a verification found, its answers apart; where it is stopped, what they had found until then."""

    typical: Trace | None = None
    tried: tuple[Judgement, ...] = ()
    """The search, the reference setting not among them."""
    suspect: Judgement | None = None
    """Where the claim looked weakest, after shrinking; where it fails at the reference already, where it looked strongest."""
    reach: Reach | None = None
    robustness: tuple[Variation, ...] = ()
    scopes: tuple[Scope, ...] = ()
    """The claim's maps."""


def verify(claim: Claim, lab: Trainer, plan: Plan, observe: Observer = ignore) -> Verdict:
    """Whether a claim replicates at its reference setting, and in how much of its domain it holds.

    Stopped by Ctrl-C or a spent budget it concludes from what was found until then; `lab.stopped` then says why.

    Raises:
        ClaimError: when one of the claim's own functions raises, or it asks for more seeds than the plan ever trains.
    """
    plan = plan.of(claim)
    _check_seeds(claim, plan)
    started, trained, reused = time.monotonic(), getattr(lab, "runs_trained", 0), getattr(lab, "runs_reused", 0)
    inquiry, found = Inquiry(claim, lab, plan.seed, observe), Findings()
    with suppress(Stopped):
        evidence, reference = inquiry.answer(claim.domain.reference, "reference", "reference", plan.sizes)
        found = replace(found, typical=typical_trace(claim, lab, evidence))

        fails = reference.outcome is Outcome.FAILS
        tried = search(claim, lab, plan, observe, searched_settings(claim, plan))
        found = replace(found, tried=tried, suspect=suspect_of(claim, tried, fails_at_reference=fails))
        for _ in range(0 if fails else plan.descents):
            if (nearer := shrunk(claim, lab, plan, observe, found.suspect)) is None:
                break
            found = replace(found, suspect=nearer)
        if found.suspect is not None:
            inquiry.answer(found.suspect.setting, SUSPECT, "confirmation", plan.sizes)

        for name, setting in plan.besides(claim).items():
            inquiry.beside(setting, name, plan.beside_sizes)
        found = replace(found, reach=reach(claim, lab, plan, observe))
        found = replace(found, robustness=_variations(claim, lab, plan, observe))
        for wanted in claim.maps if plan.maps else ():
            scope = survey(claim, lab, grid(claim, wanted), plan.search_seeds, plan.seed, observe)
            found = replace(found, scopes=(*found.scopes, scope))

    verdict = conclude(claim, plan, inquiry.reached, found.tried, found.suspect).model_copy(
        update={
            "typical": found.typical,
            "robustness": found.robustness,
            "reach": found.reach,
            "scopes": found.scopes,
            "seconds": time.monotonic() - started,
            "runs_trained": getattr(lab, "runs_trained", 0) - trained,
            "runs_reused": getattr(lab, "runs_reused", 0) - reused,
        }
    )
    observe(ClaimFinished(verdict))
    return verdict


def first_round(claim: Claim, plan: Plan) -> list[Recipe]:
    """The trainings that a verification begins with whatever it finds: they can be done ahead of it."""
    return [recipe for blocks in first_blocks(claim, plan) for recipe in trainings(claim, blocks)]


def first_blocks(claim: Claim, plan: Plan) -> list[Mapping[Setting, Sequence[int]]]:
    """The settings that a verification judges whatever it finds, with their seeds: on fresh ones, in search, for its reach."""
    plan, reference = plan.of(claim), claim.domain.reference
    fresh = {reference: fresh_seeds(plan.seed, reference, plan.fresh_seeds)}
    fresh |= {s: fresh_seeds(plan.seed, s, *plan.beside_sizes) for s in plan.besides(claim).values()}
    searched = {s: search_seeds(plan.seed, s, plan.search_seeds) for s in searched_settings(claim, plan)}
    return [fresh, searched, sampled(claim, plan)]


def replay(claim: Claim, lab: Trainer, setting: Setting, seeds: Sequence[int]) -> Judgement:
    """One setting judged afresh on the given seeds, at the claim's own level."""
    return judged(claim, gather(claim, lab, {setting: seeds})[setting], 1.0 - claim.predicts.level)


def _variations(claim: Claim, lab: Trainer, plan: Plan, observe: Observer) -> tuple[Variation, ...]:
    """The reference's answer under other thresholds than the claim's."""
    if not plan.variations:
        return ()
    observe(StageStarted(claim.id, "variations", 1, plan.fresh_seeds))
    return robustness(claim, lab, plan)


def _check_seeds(claim: Claim, plan: Plan) -> None:
    """Whether as many seeds as are trained at most could decide."""
    most, fewest = plan.sizes[-1], claim.predicts.fewest()
    if fewest > most:
        raise ClaimError(
            f"claim {claim.id!r}: its rule, {claim.rule}, takes {fewest} seeds, and {most} are trained at most; "
            "take --profile full (256 seeds), or ask for less"
        )
