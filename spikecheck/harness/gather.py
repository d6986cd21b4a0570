"""From settings and seeds to judged evidence."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from spikecheck.core.judgement import Companion, Effect, Judgement
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Run
from spikecheck.core.setting import Setting
from spikecheck.harness.called import called
from spikecheck.harness.claim import Claim, Trial
from spikecheck.measures.spikes import spikes
from spikecheck.stats.bootstrap import median_interval
from spikecheck.stats.bounds import judge

_TRUNK = ""
"""In place of an arm's name: the run that the arms leave or are."""


class Trains(Protocol):
    """What the harness needs of a laboratory; tests of the harness plant one whose truth is known."""

    def runs(self, recipes: Sequence[Recipe]) -> Mapping[Recipe, Run]:
        """The recipes' runs; a fork whose parent never spiked is absent."""
        ...

    def each(self, blocks: Sequence[Sequence[Recipe]]) -> Iterable[Mapping[Recipe, Run]]:
        """The same for block after block; all of them are trained in one go, and memory holds one."""
        ...


@dataclass(frozen=True)
class Evidence:
    """One claim at one setting: what every seed gave. Axis: S seeds."""

    setting: Setting
    seeds: tuple[int, ...]
    scores: tuple[float | None, ...]
    """The effect; None where the claim does not apply or the numbers failed."""
    held: tuple[bool | None, ...]
    numerical_failures: int
    companions: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Further effects by their units, one number an applicable seed in which it is one."""

    @property
    def applicable(self) -> int:
        """Seeds with a score."""
        return sum(score is not None for score in self.scores)

    @property
    def share(self) -> float:
        """Share of the applicable seeds in which the claim held; 1 where none applied."""
        return sum(map(bool, self.held)) / self.applicable if self.applicable else 1.0


def gather(claim: Claim, lab: Trains, blocks: Mapping[Setting, Sequence[int]]) -> dict[Setting, Evidence]:
    """Train every setting with its block of seeds, all in one go, and measure."""
    asked = [_asked(claim, setting, seeds) for setting, seeds in blocks.items()]
    every = lab.each([[needed for recipes in block for needed in _needed(recipes)] for block in asked])
    return {
        setting: _measured(claim, setting, _trials(claim, block, runs))
        for setting, block, runs in zip(blocks, asked, every, strict=True)
    }


def trainings(claim: Claim, blocks: Mapping[Setting, Sequence[int]]) -> list[Recipe]:
    """The trainings from which all runs that `gather` asks for are forked, or which they are."""
    pairs = [(setting, seed) for setting, seeds in blocks.items() for seed in seeds]
    armed = [
        Recipe(setting=called(claim, f"arm {name!r}", arm, s), seed=seed)
        for name, arm in claim.arms.items()
        for s, seed in pairs
    ]
    return [Recipe(setting=s, seed=seed) for s, seed in pairs] + [recipe.parent() for recipe in armed]


def judged(claim: Claim, evidence: Evidence, alpha: float) -> Judgement:
    """The evidence under the claim's rule, each bound at confidence 1 - `alpha`."""
    count, held = evidence.applicable, sum(map(bool, evidence.held))
    decision = judge(held, count, claim.predicts, alpha)
    present = [score for score in evidence.scores if score is not None]
    return Judgement(
        setting=evidence.setting,
        outcome=decision.outcome,
        drawn=len(evidence.seeds),
        applicable=count,
        held=held,
        low=decision.low,
        high=decision.high,
        required=claim.predicts.of_seeds,
        level=1.0 - alpha,
        effect=_effect(claim, claim.unit, present),
        numerical_failures=evidence.numerical_failures,
        seeds=evidence.seeds,
        scores=evidence.scores,
        companions=tuple(
            Companion(
                effect=_effect(claim, unit, values),
                measured=len(values),
                held=sum(claim.predicts.held(value) for value in values),
            )
            for unit, values in evidence.companions.items()
        ),
    )


def _effect(claim: Claim, unit: str, values: Sequence[float]) -> Effect:
    median, low, high = median_interval(np.array(values), claim.predicts.level) if values else (None, None, None)
    return Effect(unit=unit, median=median, low=low, high=high)


def _asked(claim: Claim, setting: Setting, seeds: Sequence[int]) -> list[dict[str, Recipe]]:
    """What one trial a seed needs: the run itself under the name of none, and the arms under theirs."""
    armed = {name: called(claim, f"arm {name!r}", arm, setting) for name, arm in claim.arms.items()}
    return [
        {
            _TRUNK: Recipe(setting=setting, seed=seed),
            **{name: Recipe(setting=arm, seed=seed, probe=claim.probe) for name, arm in armed.items()},
        }
        for seed in seeds
    ]


def _needed(recipes: Mapping[str, Recipe]) -> Iterator[Recipe]:
    """What is asked for, and the forks that are looked at: one that has diverged is a failure, not an absence."""
    for recipe in recipes.values():
        yield recipe
        if recipe.probe is not None and recipe.setting.intervention is not None:
            yield recipe.parent()


def _trials(claim: Claim, asked: Sequence[Mapping[str, Recipe]], runs: Mapping[Recipe, Run]) -> list[Trial]:
    trials = []
    for recipes in asked:
        trunk = recipes[_TRUNK]
        arms = {name: runs[recipes[name]] for name in claim.arms if recipes[name] in runs}
        absent = (recipes[name].parent() for name in claim.arms if name not in arms)
        lost = any(parent in runs and runs[parent].diverged for parent in absent)
        run = replace(runs[trunk], spikes=spikes(runs[trunk].loss, claim.definition))
        trials.append(Trial(trunk.setting, trunk.seed, run, arms, lost))
    return trials


def _failed(claim: Claim, trial: Trial) -> bool:
    """Whether its numbers allow no answer."""
    return trial.unresolved or trial.lost or (trial.diverged and not claim.until_divergence)


def _measured(claim: Claim, setting: Setting, trials: Sequence[Trial]) -> Evidence:
    """Score the trials to which the claim applies; each sees the next such one as its `other`."""
    sound = [trial for trial in trials if not _failed(claim, trial)]
    present = [trial for trial in sound if len(trial.arms) == len(claim.arms)]
    applying = [trial for trial in present if called(claim, "precondition", claim.applies, trial)]
    scored: dict[int, tuple[float, bool]] = {}
    beside: dict[str, list[float]] = {unit: [] for unit in claim.companions}
    for trial, other in zip(applying, [*applying[1:], *applying[:1]], strict=True):
        paired = replace(trial, other=other if other is not trial else None)
        score = float(called(claim, "measure", claim.measure, paired))
        if np.isfinite(score):
            scored[trial.seed] = (score, called(claim, "further condition", claim.holds, paired, score))
            for unit, measure in claim.companions.items():
                beside[unit].append(float(called(claim, f"companion {unit!r}", measure, paired)))
    return Evidence(
        setting=setting,
        seeds=tuple(trial.seed for trial in trials),
        scores=tuple(scored[t.seed][0] if t.seed in scored else None for t in trials),
        held=tuple(scored[t.seed][1] if t.seed in scored else None for t in trials),
        numerical_failures=len(trials) - len(sound) + len(applying) - len(scored),
        companions={unit: tuple(value for value in values if np.isfinite(value)) for unit, values in beside.items()},
    )
