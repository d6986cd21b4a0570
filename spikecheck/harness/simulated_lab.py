"""A world whose truth is known: a laboratory that draws each seed's effect instead of training."""

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
"""Share of seeds that the planted claim asks for."""
SHARE = Prediction(above=0.0, of_seeds=REQUIRED, level=0.95)
"""What it predicts unless told otherwise."""

Law = Callable[[float, float], float]
"""A seed's effect, from a uniform draw in [0, 1) and the number that is true of its setting."""


def coin(draw: float, share: float) -> float:
    """Above 0 in this share of seeds, else below."""
    return float(draw < share) - 0.5


def normal(draw: float, mean: float) -> float:
    """Normal with standard deviation 1."""
    return mean + float(ndtri(draw))


def skewed(draw: float, mean: float) -> float:
    """Exponential with standard deviation 1: a long tail upward, of skewness 2; its median lies 1 - ln 2 below its mean."""
    return mean - math.log1p(-draw) - 1.0


def _always(setting: Setting) -> float:
    return 1.0


class PlantedLab:
    """Effects follow `law` with what is true of a setting, those of the controls with numbers of their own.

    By default effects are there in the share `truth(setting)` of seeds, the negative control's in a tenth of them, and the
    planted one of the positive control in 99 %. Spikes come in the share `triggers(setting)`.
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
        """After `stop_after` requests it is stopped."""
        self.truth, self.control, self.positive, self.law = truth, control, positive, law
        self.triggers = triggers
        self.left = stop_after
        self.stopped: Stopped | None = None
        self.runs_trained = self.runs_reused = 0

    def each(self, blocks: Sequence[Sequence[Recipe]]) -> list[Mapping[Recipe, Run]]:
        """Every block's runs."""
        whole = self.runs([recipe for block in blocks for recipe in block])
        return [{recipe: whole[recipe] for recipe in block if recipe in whole} for block in blocks]

    def runs(self, recipes: Sequence[Recipe]) -> Mapping[Recipe, Run]:
        """The recipes' runs: whatever is asked for again is the same again."""
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.stopped = Stopped("planted")
                raise self.stopped
        self.runs_trained += len(recipes)
        return {recipe: self._run(recipe) for recipe in recipes}

    def _run(self, recipe: Recipe) -> Run:
        """A run of four losses: a start, and the effects of the claim, of its negative control and of its positive one."""
        setting = recipe.setting
        claim, control, triggers, positive = _draws(recipe.seed)
        drawn = ((claim, self.truth(setting)), (control, self.control), (positive, self.positive))
        loss = np.array([9.0, *(self.law(draw, number) for draw, number in drawn)])
        spikes = (Spike(0, 1, 1, 2, 4.0),) if triggers < self.triggers(setting) else ()
        return Run(setting, recipe.seed, 0, loss, Ended("completed", 3), spikes)


@lru_cache(maxsize=4096)  # claim and controls are of the same seeds
def _draws(seed: int) -> tuple[float, ...]:
    """A seed's uniform numbers: of the claim, its control, its precondition and its positive control."""
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
    """A claim about such a world, over two ladders unless others are given."""
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
