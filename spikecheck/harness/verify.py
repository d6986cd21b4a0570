"""Hypothesis chooses, the laboratory trains, the judge judges, the descent shrinks, fresh seeds confirm."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from spikecheck.core.errors import ClaimError, Stopped
from spikecheck.core.events import ClaimFinished, Observer, SettingJudged, StageStarted, ignore
from spikecheck.core.judgement import Answer, Judgement, Outcome
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
from spikecheck.harness.reach import reach, sampled, strength
from spikecheck.harness.sensitivity import robustness
from spikecheck.harness.typical_run import typical_trace


@dataclass
class Findings:
    """What a verification has found so far; stopped early, it is what the partial verdict rests on."""

    answers: dict[str, Answer] = field(default_factory=dict)
    """By role: the reference, the suspect on fresh seeds, and settings beside the domain by their names."""
    tried: list[Judgement] = field(default_factory=list)
    """The search, the reference setting not among them."""
    suspect: Judgement | None = None
    """Where the claim looked weakest, after shrinking; where it fails at the reference already, where it looked strongest."""
    reach: Reach | None = None
    typical: Trace | None = None
    robustness: tuple[Variation, ...] = ()
    scopes: list[Scope] = field(default_factory=list)
    """The claim's maps."""

    @property
    def fails_at_the_reference(self) -> bool:
        """Whether the nearest counterexample that there can be is found."""
        return "reference" in self.answers and self.answers["reference"].outcome is Outcome.FAILS


def verify(claim: Claim, lab: Trainer, plan: Plan, observe: Observer = ignore) -> Verdict:
    """Whether a claim replicates at its reference setting, and in how much of its domain it holds.

    Stopped by Ctrl-C or a spent budget it concludes from what was found until then; `lab.stopped` then says why.

    Raises:
        ClaimError: when one of the claim's own functions raises, or it asks for more seeds than the plan ever trains.
    """
    plan = plan.of(claim)
    _check_seeds(claim, plan)
    started = time.monotonic()
    counted = (getattr(lab, "runs_trained", 0), getattr(lab, "runs_reused", 0))
    found = Findings()
    inquiry = Inquiry(claim, lab, plan.seed, observe)
    found.answers = inquiry.reached
    with suppress(Stopped):
        _inquire(claim, lab, plan, observe, found, inquiry)
    verdict = conclude(claim, plan, found.answers, found.tried, found.suspect).model_copy(
        update={
            "typical": found.typical,
            "robustness": found.robustness,
            "reach": found.reach,
            "scopes": tuple(found.scopes),
            "seconds": time.monotonic() - started,
            "runs_trained": getattr(lab, "runs_trained", 0) - counted[0],
            "runs_reused": getattr(lab, "runs_reused", 0) - counted[1],
        }
    )
    observe(ClaimFinished(verdict))
    return verdict


def _inquire(claim: Claim, lab: Trainer, plan: Plan, observe: Observer, found: Findings, inquiry: Inquiry) -> None:
    """The questions in their order; what each finds is there for the next, and stays if a later one is stopped."""
    reference = claim.domain.reference
    evidence, _ = inquiry.answer(reference, "reference", "reference", plan.sizes)
    found.typical = typical_trace(claim, lab, evidence)
    found.tried.extend(_searched(claim, lab, plan, observe, _searched_settings(claim, plan), "search"))
    found.suspect = _suspect(claim, found)
    _descend(claim, lab, plan, observe, found)
    if found.suspect is not None:
        inquiry.answer(found.suspect.setting, SUSPECT, "confirmation", plan.sizes)
    for name, setting in plan.besides(claim).items():
        inquiry.beside(setting, name, plan.beside_sizes)
    found.reach = reach(claim, lab, plan, observe)
    if plan.variations:
        observe(StageStarted(claim.id, "variations", 1, plan.fresh_seeds))
        found.robustness = robustness(claim, lab, plan)
    for asked in claim.maps if plan.maps else ():
        found.scopes.append(survey(claim, lab, grid(claim, asked), plan.search_seeds, plan.seed, observe))


def first_round(claim: Claim, plan: Plan) -> list[Recipe]:
    """The trainings that a verification begins with whatever it finds: they can be done ahead of it."""
    return [recipe for blocks in first_blocks(claim, plan) for recipe in trainings(claim, blocks)]


def first_blocks(claim: Claim, plan: Plan) -> list[Mapping[Setting, Sequence[int]]]:
    """The settings that a verification judges whatever it finds, with their seeds: on fresh ones, in search, for its reach."""
    plan, reference = plan.of(claim), claim.domain.reference
    fresh = {reference: fresh_seeds(plan.seed, reference, plan.fresh_seeds)}
    fresh |= {s: fresh_seeds(plan.seed, s, *plan.beside_sizes) for s in plan.besides(claim).values()}
    search = {s: search_seeds(plan.seed, s, plan.search_seeds) for s in _searched_settings(claim, plan)}
    return [fresh, search, sampled(claim, plan)]


def replay(claim: Claim, lab: Trainer, setting: Setting, seeds: Sequence[int]) -> Judgement:
    """One setting judged afresh on the given seeds, at the claim's own level."""
    return judged(claim, gather(claim, lab, {setting: seeds})[setting], 1.0 - claim.predicts.level)


def _check_seeds(claim: Claim, plan: Plan) -> None:
    """Whether as many seeds as are trained at most could decide."""
    most, fewest = plan.sizes[-1], claim.predicts.fewest()
    if fewest > most:
        raise ClaimError(
            f"claim {claim.id!r}: its rule, {claim.rule}, takes {fewest} seeds, and {most} are trained at most; "
            "take --profile full (256 seeds), or ask for less"
        )


def _searched_settings(claim: Claim, plan: Plan) -> list[Setting]:
    """Known counterexamples first, then what Hypothesis draws."""
    settings = dict.fromkeys([*claim.known, *claim.domain.draw(plan.settings, plan.seed)])
    settings.pop(claim.domain.reference, None)
    return list(settings)


def _suspect(claim: Claim, found: Findings) -> Judgement | None:
    """What is worth fresh seeds: a failing setting near the reference, else the weakest.

    A reference that fails is the nearest there can be. Then what is left to learn is where the claim holds.
    """
    triggered = [j for j in found.tried if j.outcome is not Outcome.UNTRIGGERED]
    if not triggered:
        return None
    if found.fails_at_the_reference:
        return max(triggered, key=lambda j: (strength(claim.predicts, j), -claim.domain.distance(j.setting)))
    failing = [j for j in triggered if j.outcome is Outcome.FAILS]
    if failing:
        return _nearest(claim, failing)
    return min(triggered, key=lambda j: (strength(claim.predicts, j), claim.domain.distance(j.setting)))


def _nearest(claim: Claim, failing: Sequence[Judgement]) -> Judgement:
    return min(failing, key=lambda j: (claim.domain.distance(j.setting), strength(claim.predicts, j)))


def _descend(claim: Claim, lab: Trainer, plan: Plan, observe: Observer, found: Findings) -> None:
    """Shrink a failing suspect: all settings one step nearer are trained in one go, the nearest that fails is next."""
    for _ in range(plan.descents):
        if found.fails_at_the_reference or found.suspect is None or found.suspect.outcome is not Outcome.FAILS:
            return
        nearer = [s for s in claim.domain.nearer(found.suspect.setting) if s != claim.domain.reference]
        failing = [j for j in _searched(claim, lab, plan, observe, nearer, "descent") if j.outcome is Outcome.FAILS]
        if not failing:
            return
        found.suspect = _nearest(claim, failing)


def _searched(
    claim: Claim, lab: Trainer, plan: Plan, observe: Observer, settings: Sequence[Setting], stage: str
) -> list[Judgement]:
    """Every setting judged on its own block of search seeds, all trained together."""
    observe(StageStarted(claim.id, stage, len(settings), plan.search_seeds))
    blocks = {s: search_seeds(plan.seed, s, plan.search_seeds) for s in settings}
    evidence = gather(claim, lab, blocks)
    judgements = [judged(claim, evidence[s], 1.0 - claim.predicts.level) for s in settings]
    for judgement in judgements:
        observe(SettingJudged(claim.id, stage, judgement.setting, judgement))
    return judgements
