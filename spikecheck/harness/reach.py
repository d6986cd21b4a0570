"""The share of its domain in which a claim holds, from a random sample of settings."""

from collections.abc import Sequence

import numpy as np

from spikecheck.core.events import Observer, SettingJudged, StageStarted
from spikecheck.core.judgement import Judgement
from spikecheck.core.reach import Reach
from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Claim
from spikecheck.harness.evidence import Trainer, gather, judged
from spikecheck.harness.plan import Plan, reach_seeds
from spikecheck.stats.bounds import clopper_pearson
from spikecheck.stats.prediction import Estimand, Prediction

_FEWEST = 8
"""Smallest number of applicable seeds for a point estimate: its standard error is then a third of the effect's spread."""


def sampled(claim: Claim, plan: Plan) -> dict[Setting, Sequence[int]]:
    """The random sample of the domain, with each setting's seeds."""
    settings = claim.domain.sample(plan.reach, plan.seed) if plan.reach else ()
    return {setting: reach_seeds(plan.seed, setting, plan.reach_seeds) for setting in settings}


def reach(claim: Claim, lab: Trainer, plan: Plan, observe: Observer) -> Reach | None:
    """The share of the domain's settings in which the claim holds; None if the plan samples none.

    A setting counts by its point estimate against the rule's limit, without an interval. Settings near the limit may count on
    the wrong side, so the share is less accurate where there are many of them; more seeds for each setting reduce the error.
    """
    blocks = sampled(claim, plan)
    if not blocks:
        return None
    observe(StageStarted(claim.id, "reach", len(blocks), plan.reach_seeds))
    evidence = gather(claim, lab, blocks)
    judgements = [judged(claim, evidence[setting], 1.0 - claim.predicts.level) for setting in blocks]
    for judgement in judgements:
        observe(SettingJudged(claim.id, "reach", judgement.setting, judgement))
    return of_sample(claim.predicts, judgements, claim.domain.size, plan.reach_seeds)


def of_sample(predicts: Estimand, judgements: Sequence[Judgement], size: int, seeds: int) -> Reach:
    """The estimate from judged settings, for a domain of `size` settings."""
    triggered = [judgement for judgement in judgements if judgement.applicable >= _FEWEST]
    holds = sum(as_claimed(predicts, judgement) for judgement in triggered)
    low, high = clopper_pearson(holds, len(triggered), 0.025) if triggered else (0.0, 1.0)
    return Reach(
        settings=len(judgements),
        of=size,
        seeds=seeds,
        holds=holds,
        triggered=len(triggered),
        low=low,
        high=high,
        sample=tuple(judgements),
    )


def as_claimed(predicts: Estimand, judgement: Judgement) -> bool:
    """Whether a setting's point estimate is as claimed."""
    if isinstance(predicts, Prediction):
        return (
            judgement.held / judgement.applicable >= predicts.of_seeds
        )  # a quotient, since rounding makes 0.55 * 20 larger than 11
    estimate = judgement.effect.mean if predicts.of == "mean" else judgement.effect.median
    return estimate is not None and predicts.held(estimate) and predicts.beyond(estimate) >= predicts.worth


def strength(predicts: Estimand, judgement: Judgement) -> float:
    """How strongly a setting shows the claim: the share that held, or the average's distance inside its limits.

    The distance is in standard deviations over the setting's seeds, so that settings with different spreads are comparable.
    """
    if isinstance(predicts, Prediction):
        return judgement.held / judgement.applicable
    scores = np.array([score for score in judgement.scores if score is not None])
    average = float(scores.mean() if predicts.of == "mean" else np.median(scores))
    spread = float(scores.std())
    if scores.min() == scores.max() or spread == 0.0:  # a spread of numbers below 1e-160 may be rounded to 0
        return np.inf if predicts.held(average) else -np.inf
    return predicts.beyond(average) / spread
