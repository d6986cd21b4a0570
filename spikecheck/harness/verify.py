"""Hypothesis chooses, the laboratory trains, the judge judges, the descent shrinks, fresh seeds confirm."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from spikecheck.core.errors import ClaimError, Stopped
from spikecheck.core.events import ClaimFinished, Observer, SettingJudged, StageStarted, ignore
from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.recipe import Recipe
from spikecheck.core.scope import Scope
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Variation, Verdict
from spikecheck.harness.claim import Claim
from spikecheck.harness.conclude import conclude
from spikecheck.harness.gather import Evidence, Trains, gather, judged, trainings
from spikecheck.harness.plan import Plan, fresh_seeds, search_seeds
from spikecheck.harness.robustness import robustness
from spikecheck.harness.scope import grid, survey
from spikecheck.harness.typical import typical_trace
from spikecheck.stats.bounds import spending


@dataclass
class Findings:
    """What a verification has found so far; stopped early, it is what the partial verdict rests on."""

    reference: Judgement | None = None
    control: Judgement | None = None
    tried: list[Judgement] = field(default_factory=list)
    """The search, the reference setting not among them."""
    suspect: Judgement | None = None
    """Where the claim looked weakest, after shrinking; where it fails at the reference already, where it looked strongest."""
    confirmed: Judgement | None = None
    """The suspect on fresh seeds."""
    evidence: Evidence | None = None
    """The reference setting's, for the picture."""
    scopes: list[Scope] = field(default_factory=list)
    """The claim's maps."""


def verify(claim: Claim, lab: Trains, plan: Plan, observe: Observer = ignore) -> Verdict:
    """Whether a claim replicates at its reference setting and generalises over its domain.

    Stopped by Ctrl-C or a spent budget it concludes from what was found until then; `lab.stopped` then says why.

    Raises:
        ClaimError: when one of the claim's own functions raises, or it asks for more seeds than the plan ever trains.
    """
    _check_reach(claim, plan)
    started = time.monotonic()
    counted = (getattr(lab, "runs_trained", 0), getattr(lab, "runs_reused", 0))
    found = Findings()
    trace = None
    varied: tuple[Variation, ...] = ()
    try:
        _replicate(claim, lab, plan, observe, found)
        trace = typical_trace(claim, lab, found.evidence)
        _search(claim, lab, plan, observe, found)
        _descend(claim, lab, plan, observe, found)
        _confirm(claim, lab, plan, observe, found)
        if plan.variations:
            observe(StageStarted(claim.id, "variations", 1, plan.fresh_seeds))
            varied = robustness(claim, lab, plan)
        for asked in claim.maps if plan.maps else ():
            found.scopes.append(survey(claim, lab, grid(claim, asked), plan.search_seeds, plan.seed, observe))
    except Stopped:
        pass
    verdict = conclude(claim, plan, found.reference, found.control, found.tried, found.suspect, found.confirmed)
    verdict = verdict.model_copy(
        update={
            "typical": trace,
            "robustness": varied,
            "scopes": tuple(found.scopes),
            "seconds": time.monotonic() - started,
            "runs_trained": getattr(lab, "runs_trained", 0) - counted[0],
            "runs_reused": getattr(lab, "runs_reused", 0) - counted[1],
        }
    )
    observe(ClaimFinished(verdict))
    return verdict


def first_round(claim: Claim, plan: Plan) -> list[Recipe]:
    """The trainings that a verification begins with whatever it finds: they can be done ahead of it."""
    reference = claim.domain.reference
    fresh = {reference: fresh_seeds(plan.seed, reference, plan.fresh_seeds)}
    search = {s: search_seeds(plan.seed, s, plan.search_seeds) for s in _searched_settings(claim, plan)}
    return [*trainings(claim, fresh), *trainings(claim.as_control(), fresh), *trainings(claim, search)]


def replay(claim: Claim, lab: Trains, setting: Setting, seeds: Sequence[int]) -> Judgement:
    """One setting judged afresh on the given seeds, at the claim's own level."""
    return judged(claim, gather(claim, lab, {setting: seeds})[setting], 1.0 - claim.predicts.level)


def _check_reach(claim: Claim, plan: Plan) -> None:
    """Whether as many seeds as are trained at most could decide."""
    most, fewest = plan.fresh_seeds * 2 ** (plan.looks - 1), claim.predicts.fewest()
    if fewest > most:
        raise ClaimError(
            f"claim {claim.id!r}: of_seeds={claim.predicts.of_seeds:g} at level={claim.predicts.level:g} takes {fewest} "
            f"seeds, and {most} are trained at most; take --profile full (256 seeds), or ask for less"
        )


def _replicate(claim: Claim, lab: Trains, plan: Plan, observe: Observer, found: Findings) -> None:
    """The claim and its negative control at the reference setting, on the same fresh seeds."""
    reference = claim.domain.reference
    found.evidence, found.reference = _conclude_at(claim, lab, plan, observe, reference, "reference")
    _, found.control = _conclude_at(claim.as_control(), lab, plan, observe, reference, "control")


def _search(claim: Claim, lab: Trains, plan: Plan, observe: Observer, found: Findings) -> None:
    found.tried.extend(_searched(claim, lab, plan, observe, _searched_settings(claim, plan), "search"))
    found.suspect = _suspect(claim, found)


def _searched_settings(claim: Claim, plan: Plan) -> list[Setting]:
    """Known counterexamples first, then what Hypothesis draws, then what stands beside the domain."""
    drawn = claim.domain.draw(plan.settings, plan.seed)
    settings = dict.fromkeys([*claim.known, *drawn, *plan.besides(claim).values()])
    settings.pop(claim.domain.reference, None)
    return list(settings)


def _suspect(claim: Claim, found: Findings) -> Judgement | None:
    """What is worth fresh seeds: a failing setting near the reference, else the weakest.

    A reference that fails is the nearest there can be. Then what is left to learn is where the claim holds.
    """
    triggered = [j for j in found.tried if j.outcome is not Outcome.UNTRIGGERED]
    if not triggered:
        return None
    if found.reference is not None and found.reference.outcome is Outcome.FAILS:
        return max(triggered, key=lambda j: (j.held / j.applicable, -claim.domain.distance(j.setting)))
    failing = [j for j in triggered if j.outcome is Outcome.FAILS]
    if failing:
        return min(failing, key=lambda j: (claim.domain.distance(j.setting), j.high))
    return min(triggered, key=lambda j: (j.held / j.applicable, claim.domain.distance(j.setting)))


def _descend(claim: Claim, lab: Trains, plan: Plan, observe: Observer, found: Findings) -> None:
    """Shrink a failing suspect: all settings one step nearer are trained in one go, the nearest that fails is next."""
    for _ in range(plan.descents):
        at_reference = found.reference is not None and found.reference.outcome is Outcome.FAILS
        if at_reference or found.suspect is None or found.suspect.outcome is not Outcome.FAILS:
            return
        nearer = [s for s in claim.domain.nearer(found.suspect.setting) if s != claim.domain.reference]
        failing = [j for j in _searched(claim, lab, plan, observe, nearer, "descent") if j.outcome is Outcome.FAILS]
        if not failing:
            return
        found.suspect = min(failing, key=lambda j: (claim.domain.distance(j.setting), j.high))


def _confirm(claim: Claim, lab: Trains, plan: Plan, observe: Observer, found: Findings) -> None:
    """The suspect on seeds that had no part in making it one."""
    if found.suspect is not None:
        _, found.confirmed = _conclude_at(claim, lab, plan, observe, found.suspect.setting, "confirmation")


def _searched(
    claim: Claim, lab: Trains, plan: Plan, observe: Observer, settings: Sequence[Setting], stage: str
) -> list[Judgement]:
    """Every setting judged on its own block of search seeds, all trained together."""
    observe(StageStarted(claim.id, stage, len(settings), plan.search_seeds))
    blocks = {s: search_seeds(plan.seed, s, plan.search_seeds) for s in settings}
    evidence = gather(claim, lab, blocks)
    judgements = [judged(claim, evidence[s], 1.0 - claim.predicts.level) for s in settings]
    for judgement in judgements:
        observe(SettingJudged(claim.id, stage, judgement.setting, judgement))
    return judgements


def _conclude_at(
    claim: Claim, lab: Trains, plan: Plan, observe: Observer, setting: Setting, stage: str
) -> tuple[Evidence, Judgement]:
    """Look at growing numbers of fresh seeds until the interval decides; every look is paid for."""
    for look, alpha in enumerate(spending(1.0 - claim.predicts.level, plan.looks)):
        seeds = fresh_seeds(plan.seed, setting, plan.fresh_seeds * 2**look)
        observe(StageStarted(claim.id, stage, 1, len(seeds)))
        evidence = gather(claim, lab, {setting: seeds})[setting]
        judgement = judged(claim, evidence, alpha)
        observe(SettingJudged(claim.id, stage, setting, judgement))
        if judgement.outcome in (Outcome.HOLDS, Outcome.FAILS):
            break
    return evidence, judgement
