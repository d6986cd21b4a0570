"""From settings and seeds to judged evidence."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, cast

import numpy as np

from spikecheck.core.errors import ClaimError
from spikecheck.core.judgement import Companion, ConditionJudged, Effect, Judgement, Outcome
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Run
from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Claim, Condition, Trial
from spikecheck.harness.claim_fields import number, truth
from spikecheck.harness.run_spikes import spikes_of
from spikecheck.harness.user_functions import called_for, called_for_a
from spikecheck.stats.averages import mean_interval, median_interval
from spikecheck.stats.bounds import judge, together
from spikecheck.stats.contrast import Pair
from spikecheck.stats.planning import seeds_to_decide, seeds_to_decide_together
from spikecheck.stats.prediction import Estimand, Prediction, as_record

_TRUNK = ""
"""The key of the training itself, in place of an arm's name."""

LARGEST = 1e150
"""Magnitude from which an effect counts as infinite: its square, which a spread over seeds needs, exceeds float64's range."""

_ROUNDING = 1e-6
"""Difference of two measurements of one trial, relative to their size or to 1, that may be rounding: float32 has 6e-8."""


class Trainer(Protocol):
    """What the harness needs from a laboratory; tests of the harness use a simulated one with a known truth."""

    def runs(self, recipes: Sequence[Recipe]) -> Mapping[Recipe, Run]:
        """The runs of the recipes; a fork whose parent never spiked is absent."""
        ...

    def each(self, blocks: Sequence[Sequence[Recipe]]) -> Iterable[Mapping[Recipe, Run]]:
        """The runs of each block in turn. All blocks are trained together; only one is in memory at a time."""
        ...


@dataclass(frozen=True)
class Evidence:
    """The measurements of one claim at one setting, seed by seed. Axis: S seeds."""

    setting: Setting
    seeds: tuple[int, ...]
    scores: tuple[float | None, ...]
    """[S] effects; None where the claim does not apply or there was a numerical failure."""
    held: tuple[bool | None, ...]
    """[S] whether the prediction held; None where there is no effect."""
    numerical_failures: int
    companions: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Additional effects by unit, one value for each applicable seed in which the effect is finite."""
    conditions: tuple[tuple[float, ...], ...] = ()
    """For a claim about an average: the effects of its additional conditions, in the same form."""

    @property
    def applicable(self) -> int:
        """Number of seeds with a score."""
        return sum(score is not None for score in self.scores)

    @property
    def share(self) -> float:
        """Share of the applicable seeds in which the claim held, in [0, 1]; 1 if there are none."""
        return sum(map(bool, self.held)) / self.applicable if self.applicable else 1.0


def gather(claim: Claim, lab: Trainer, blocks: Mapping[Setting, Sequence[int]]) -> dict[Setting, Evidence]:
    """Train every setting with its block of seeds, all together, and measure each trial."""
    planned = [_recipes(claim, setting, seeds) for setting, seeds in blocks.items()]
    every = lab.each([[needed for recipes in block for needed in _needed(recipes)] for block in planned])
    return {
        setting: _measured(claim, setting, _trials(claim, block, runs))
        for setting, block, runs in zip(blocks, planned, every, strict=True)
    }


def needed(claim: Claim, blocks: Mapping[Setting, Sequence[int]]) -> list[Recipe]:
    """All recipes that `gather` requests for these settings and seeds."""
    return [
        recipe
        for setting, seeds in blocks.items()
        for recipes in _recipes(claim, setting, seeds)
        for recipe in _needed(recipes)
    ]


def judged(claim: Claim, evidence: Evidence, alpha: float) -> Judgement:
    """Judge evidence by the claim's rule, each bound at confidence 1 - `alpha`."""
    count, held = evidence.applicable, sum(map(bool, evidence.held))
    present = [score for score in evidence.scores if score is not None]
    decision = judge(held, present, claim.predicts, alpha)
    conditions = _conditions(claim, evidence, alpha)
    rules: list[tuple[Sequence[float], Estimand]] = [(present, claim.predicts)]
    if conditions:
        rules += zip(evidence.conditions, (condition.predicts for condition in claim.also), strict=True)
    outcome = together(rules, alpha) if conditions else decision.outcome
    needed = _seeds_needed(held, rules, alpha) if outcome is Outcome.UNDECIDED else None
    return Judgement(
        setting=evidence.setting,
        outcome=outcome,
        drawn=len(evidence.seeds),
        applicable=count,
        held=held,
        low=decision.low,
        high=decision.high,
        required=claim.predicts.of_seeds if isinstance(claim.predicts, Prediction) else None,
        level=1.0 - alpha,
        estimand=cast("Literal['share', 'mean', 'median', 'equivalence']", claim.predicts.estimand),
        effect=effect_of(claim.unit, present, alpha),
        numerical_failures=evidence.numerical_failures,
        seeds=evidence.seeds,
        scores=evidence.scores,
        companions=tuple(
            Companion(
                effect=effect_of(unit, values, alpha),
                measured=len(values),
                held=sum(claim.predicts.held(value) for value in values),
            )
            for unit, values in evidence.companions.items()
        ),
        conditions=conditions,
        would_decide=None if needed is None else round(needed * len(evidence.seeds) / max(count, 1)),
    )


def _seeds_needed(held: int, rules: Sequence[tuple[Sequence[float], Estimand]], alpha: float) -> int | None:
    """Applicable seeds that would decide the rule, or several averages together; None where that is unknown."""
    if len(rules) > 1:
        return seeds_to_decide_together(rules, alpha)
    ((scores, predicts),) = rules
    return seeds_to_decide(held, scores, predicts, alpha)


def pairs(one: Evidence, other: Evidence) -> list[Pair]:
    """The effects of a claim and its control on the seeds to which both apply."""
    theirs = {
        seed: (score, bool(held))
        for seed, score, held in zip(other.seeds, other.scores, other.held, strict=True)
        if score is not None
    }
    return [
        Pair(score, theirs[seed][0], bool(held), theirs[seed][1])
        for seed, score, held in zip(one.seeds, one.scores, one.held, strict=True)
        if score is not None and seed in theirs
    ]


def _conditions(claim: Claim, evidence: Evidence, alpha: float) -> tuple[ConditionJudged, ...]:
    """Judge the claim's additional averages. For a claim about a share there are none: `held` already includes them."""
    if not claim.averages:
        return ()
    return tuple(
        ConditionJudged(
            rule=condition.predicts.says(condition.unit),
            predicts={name: value for name, value in as_record(condition.predicts).items() if value is not None},
            outcome=judge(0, values, condition.predicts, alpha).outcome,
            effect=effect_of(condition.unit, values, alpha),
            applicable=len(values),
            scores=values,
        )
        for condition, values in zip(claim.also, evidence.conditions, strict=True)
    )


def effect_of(unit: str, values: Sequence[float], alpha: float) -> Effect:
    """Mean and median of [S] effects with their bounds; S may be 0."""
    if not values:
        return Effect(unit=unit, median=None, low=None, high=None)
    middle, mean = median_interval(np.array(values), alpha), mean_interval(np.array(values), alpha)
    return Effect(
        unit=unit,
        median=middle.estimate,
        low=_finite(middle.low),
        high=_finite(middle.high),
        mean=mean.estimate,
        mean_low=_finite(mean.low),
        mean_high=_finite(mean.high),
    )


def _finite(bound: float) -> float | None:
    return bound if np.isfinite(bound) else None


def _recipes(claim: Claim, setting: Setting, seeds: Sequence[int]) -> list[dict[str, Recipe]]:
    """The recipes of one trial for each seed: the training itself under `_TRUNK`, the arms under their names."""
    armed = {name: called_for_a(Setting, claim, f"arm {name!r}", arm, setting) for name, arm in claim.arms.items()}
    return [
        {
            _TRUNK: Recipe(setting=setting, seed=seed),
            **{name: Recipe(setting=arm, seed=seed, probe=claim.probe) for name, arm in armed.items()},
        }
        for seed in seeds
    ]


def _needed(recipes: Mapping[str, Recipe]) -> Iterator[Recipe]:
    """A trial's recipes, and the forks that are probed: a diverged fork is then seen as a failure and not as absent."""
    for recipe in recipes.values():
        yield recipe
        if recipe.probe is not None and recipe.setting.intervention is not None:
            yield recipe.parent()


def _trials(claim: Claim, planned: Sequence[Mapping[str, Recipe]], runs: Mapping[Recipe, Run]) -> list[Trial]:
    trials = []
    for recipes in planned:
        trunk = recipes[_TRUNK]
        arms = {name: runs[recipes[name]] for name in claim.arms if recipes[name] in runs}
        absent = (recipes[name].parent() for name in claim.arms if name not in arms)
        lost = any(parent in runs and runs[parent].diverged for parent in absent)
        run = replace(runs[trunk], spikes=spikes_of(runs[trunk], claim.definition))
        trials.append(Trial(trunk.setting, trunk.seed, run, arms, lost))
    return trials


def _failed(claim: Claim, trial: Trial) -> bool:
    """Whether a trial is a numerical failure, so that it counts neither for nor against the claim."""
    return trial.unresolved or trial.lost or (trial.diverged and not claim.until_divergence)


def _measured(claim: Claim, setting: Setting, trials: Sequence[Trial]) -> Evidence:
    """Measure the trials to which the claim applies; each has the next such trial as its `other`."""
    sound = [trial for trial in trials if not _failed(claim, trial)]
    present = [trial for trial in sound if len(trial.arms) == len(claim.arms)]
    applying = [trial for trial in present if called_for(truth, claim, "precondition", claim.applies, trial)]
    scored: dict[int, tuple[float, bool]] = {}
    beside: dict[str, list[float]] = {unit: [] for unit in claim.companions}
    further: list[list[float]] = [[] for _ in claim.also]
    for trial, other in zip(applying, [*applying[1:], *applying[:1]], strict=True):
        seen = _planted(claim, replace(trial, other=other if other is not trial else None))
        score = called_for(number, claim, "measure", claim.measure, seen)
        if not _is_effect(score) or (held := _held(claim, seen, score)) is None:
            continue
        if not scored:
            _check_repeats(claim, seen, score)
        scored[trial.seed] = (score, held)
        for unit, measure in claim.companions.items():
            beside[unit].append(called_for(number, claim, f"companion {unit!r}", measure, seen))
        for condition, values in zip(claim.also if claim.averages else (), further, strict=False):
            values.append(_condition(claim, condition, seen))
    return Evidence(
        setting=setting,
        seeds=tuple(trial.seed for trial in trials),
        scores=tuple(scored[t.seed][0] if t.seed in scored else None for t in trials),
        held=tuple(scored[t.seed][1] if t.seed in scored else None for t in trials),
        numerical_failures=len(trials) - len(sound) + len(applying) - len(scored),
        companions={unit: _numbers(values) for unit, values in beside.items()},
        conditions=tuple(map(_numbers, further)) if claim.averages else (),
    )


def _held(claim: Claim, trial: Trial, score: float) -> bool | None:
    """Whether the prediction holds in this trial, whose effect is `score`.

    For a claim about a share, the conditions in `also` must hold in the same trial too; None where that hangs on one that is
    no finite number. Averages are judged over all trials.
    """
    if claim.averages or not claim.predicts.held(score):
        return claim.predicts.held(score)
    values = [(_condition(claim, condition, trial), condition.predicts) for condition in claim.also]
    if any(_is_effect(value) and not predicts.held(value) for value, predicts in values):
        return False
    return True if all(_is_effect(value) for value, _ in values) else None


def _condition(claim: Claim, condition: Condition, trial: Trial) -> float:
    return called_for(number, claim, f"further condition {condition.unit!r}", condition.measure, trial)


def _check_repeats(claim: Claim, trial: Trial, score: float) -> None:
    """Refuse a measure that gives another number for the same trial: its verdict could not be reproduced.

    Differences of rounding are left alone, since torch's sums on a GPU may come in another order.
    """
    again = called_for(number, claim, "measure", claim.measure, trial)
    if abs(again - score) > _ROUNDING * max(1.0, abs(score)):
        raise ClaimError(
            f"claim {claim.id!r}: its measure gave {score:.6g} and then {again:.6g} for the same trial; draw random numbers "
            "from np.random.default_rng(trial.seed), and leave the trial's arrays as they are"
        )


def _planted(claim: Claim, trial: Trial) -> Trial:
    return trial if claim.plant is None else called_for_a(Trial, claim, "plant", claim.plant, trial)


def _numbers(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(value for value in values if _is_effect(value))


def _is_effect(score: float) -> bool:
    """Whether a measured number can be averaged over seeds: neither infinite or NaN, nor so large that its square is."""
    return abs(score) < LARGEST
