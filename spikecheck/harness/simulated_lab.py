"""A laboratory with a known truth, which draws each seed's effect at random instead of training."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from spikecheck.core.errors import Stopped
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike
from spikecheck.harness.claim import Claim, Control, Trial
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.stats.prediction import Estimand, Prediction

REFERENCE = Setting(steps=1)
REQUIRED = 0.8
"""Share of seeds that the planted claim requires."""
SHARE = Prediction(above=0.0, of_seeds=REQUIRED, level=0.95)
"""The planted claim's default prediction."""

Law = Callable[[float, float], float]
"""Gives a seed's effect from a uniform draw in [0, 1) and the setting's true share or mean."""


def coin(draw: float, share: float) -> float:
    """An effect above 0 in this share of seeds, else below."""
    return float(draw < share) - 0.5


def normal(draw: float, mean: float) -> float:
    """A normal effect with standard deviation 1."""
    return mean + float(ndtri(draw))


def skewed(draw: float, mean: float) -> float:
    """An exponential effect with standard deviation 1 and skewness 2; its median lies 1 - ln 2 below its mean."""
    return mean - math.log1p(-draw) - 1.0


def _always(setting: Setting) -> float:
    return 1.0


class PlantedLab:
    """A laboratory whose effects follow `law` with `truth(setting)`, and those of the controls with `control`, `positive`.

    By default an effect occurs in the share `truth(setting)` of seeds, that of the negative control in 10 % and that of the
    positive control in 99 %. Spikes occur in the share `triggers(setting)`.
    """

    def __init__(
        self,
        truth: Callable[[Setting], float],
        control: float = 0.1,
        triggers: Callable[[Setting], float] = _always,
        stop_after: int | None = None,
        positive: float = 0.99,
        law: Law = coin,
    ) -> None:
        """After `stop_after` requests, the next one raises `Stopped`; None: never."""
        self.truth, self.control, self.positive, self.law = truth, control, positive, law
        self.triggers = triggers
        self.left = stop_after
        self.stopped: Stopped | None = None
        self.runs_trained = self.runs_reused = 0

    def each(self, blocks: Sequence[Sequence[Recipe]]) -> list[Mapping[Recipe, Run]]:
        """The runs of each block."""
        whole = self.runs([recipe for block in blocks for recipe in block])
        return [{recipe: whole[recipe] for recipe in block if recipe in whole} for block in blocks]

    def runs(self, recipes: Sequence[Recipe]) -> Mapping[Recipe, Run]:
        """The runs of the recipes; equal recipes have equal runs."""
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.stopped = Stopped("planted")
                raise self.stopped
        self.runs_trained += len(recipes)
        return {recipe: self._run(recipe) for recipe in recipes}

    def _run(self, recipe: Recipe) -> Run:
        """A run with four losses: a start, then the effects of the claim, its negative control and its positive control."""
        setting = recipe.setting
        claim, control, triggers, positive = _draws(recipe.seed)
        drawn = ((claim, self.truth(setting)), (control, self.control), (positive, self.positive))
        loss = np.array([9.0, *(self.law(draw, number) for draw, number in drawn)])
        spikes = (Spike(0, 1, 1, 2, 4.0),) if triggers < self.triggers(setting) else ()
        return Run(setting, recipe.seed, 0, loss, Ended("completed", 3), spikes)


@lru_cache(maxsize=4096)  # claim and controls have the same seeds
def _draws(seed: int) -> tuple[float, ...]:
    """A seed's uniform draws: for the claim, its control, its precondition and its positive control."""
    return tuple(np.random.default_rng(seed).random(4).tolist())


def effect(trial: Trial) -> float:
    """The planted effect."""
    return float(trial["run"].loss[1])


def control_effect(trial: Trial) -> float:
    """The planted effect of the control."""
    return float(trial["run"].loss[2])


def positive_effect(trial: Trial) -> float:
    """The planted effect of the positive control."""
    return float(trial["run"].loss[3])


def triggered(trial: Trial) -> bool:
    """The planted precondition."""
    return trial["run"].has_spike


def planted_claim(kind: str = "tendency", predicts: Estimand = SHARE, **axes: Ladder) -> Claim:
    """A claim about a `PlantedLab`, over two ladders unless others are given."""
    return Claim(
        id="planted",
        says="planted",
        where="nowhere",
        kind=kind,  # type: ignore[arg-type]
        domain=Domain(REFERENCE, **(axes or {"width": Ladder(20, 50, 100), "lr": Ladder(0.1, 0.2, 0.3)})),
        measure=effect,
        unit="planted units",
        predicts=predicts,
        control=Control(says="planted", measure=control_effect),
        positive=Control(says="planted to be found", measure=positive_effect),
        applies=triggered,
    )
