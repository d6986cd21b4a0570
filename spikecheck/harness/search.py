"""The search for where a claim fails: known counterexamples, settings that Hypothesis draws, and shrinking what fails."""

from collections.abc import Sequence

from spikecheck.core.events import Observer, SettingJudged, StageStarted
from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Claim
from spikecheck.harness.evidence import Trainer, gather, judged
from spikecheck.harness.plan import Plan, search_seeds
from spikecheck.harness.reach import strength


def searched_settings(claim: Claim, plan: Plan) -> list[Setting]:
    """Known counterexamples first, then what Hypothesis draws; the reference is answered by itself."""
    settings = dict.fromkeys([*claim.known, *claim.domain.draw(plan.settings, plan.seed)])
    settings.pop(claim.domain.reference, None)
    return list(settings)


def search(
    claim: Claim, lab: Trainer, plan: Plan, observe: Observer, settings: Sequence[Setting], stage: str = "search"
) -> tuple[Judgement, ...]:
    """Every setting judged on its own block of search seeds, all trained together."""
    observe(StageStarted(claim.id, stage, len(settings), plan.search_seeds))
    evidence = gather(claim, lab, {s: search_seeds(plan.seed, s, plan.search_seeds) for s in settings})
    judgements = tuple(judged(claim, evidence[s], 1.0 - claim.predicts.level) for s in settings)
    for judgement in judgements:
        observe(SettingJudged(claim.id, stage, judgement.setting, judgement))
    return judgements


def suspect_of(claim: Claim, tried: Sequence[Judgement], *, fails_at_reference: bool) -> Judgement | None:
    """What is worth fresh seeds: a failing setting near the reference, else the weakest.

    A reference that fails is the nearest counterexample there can be. Then the strongest setting is worth them: what is left
    to learn is where the claim holds.
    """
    triggered = [judgement for judgement in tried if judgement.outcome is not Outcome.UNTRIGGERED]
    if not triggered:
        return None
    if fails_at_reference:
        return max(triggered, key=lambda j: (strength(claim.predicts, j), -claim.domain.distance(j.setting)))
    failing = [judgement for judgement in triggered if judgement.outcome is Outcome.FAILS]
    if failing:
        return _nearest(claim, failing)
    return min(triggered, key=lambda j: (strength(claim.predicts, j), claim.domain.distance(j.setting)))


def shrunk(claim: Claim, lab: Trainer, plan: Plan, observe: Observer, suspect: Judgement | None) -> Judgement | None:
    """A failing setting one step nearer to the reference than a failing suspect; None where there is none.

    All settings one step nearer are trained together, and the nearest that fails is taken.
    """
    if suspect is None or suspect.outcome is not Outcome.FAILS:
        return None
    nearer = [setting for setting in claim.domain.nearer(suspect.setting) if setting != claim.domain.reference]
    judgements = search(claim, lab, plan, observe, nearer, "descent")
    failing = [judgement for judgement in judgements if judgement.outcome is Outcome.FAILS]
    return _nearest(claim, failing) if failing else None


def _nearest(claim: Claim, failing: Sequence[Judgement]) -> Judgement:
    return min(failing, key=lambda j: (claim.domain.distance(j.setting), strength(claim.predicts, j)))
