"""A world whose truth is known: a laboratory that draws each seed's effect instead of training."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from spikecheck.core.errors import Stopped
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike
from spikecheck.harness.claim import Claim, Control, Trial
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.stats.prediction import Prediction

REFERENCE = Setting(steps=1)
REQUIRED = 0.8
"""Share of seeds that the planted claim asks for."""


def _always(setting: Setting) -> float:
    return 1.0


class PlantedLab:
    """Seeds hold with probability `truth(setting)`, control seeds with `control`; spikes come with `triggers`."""

    def __init__(
        self,
        truth: Callable[[Setting], float],
        control: float = 0.1,
        triggers: Callable[[Setting], float] = _always,
        stop_after: int | None = None,
    ) -> None:
        """After `stop_after` requests it is stopped."""
        self.truth, self.control, self.triggers = truth, control, triggers
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
        setting = recipe.setting
        draws = np.random.default_rng(recipe.seed).random(3)
        loss = np.array([9.0, float(draws[0] < self.truth(setting)) - 0.5, float(draws[1] < self.control) - 0.5])
        spikes = (Spike(0, 1, 1, 2, 4.0),) if draws[2] < self.triggers(setting) else ()
        return Run(setting, recipe.seed, 0, loss, Ended("completed", 2), spikes)


def effect(trial: Trial) -> float:
    """The planted effect."""
    return float(trial["run"].loss[1])


def control_effect(trial: Trial) -> float:
    """The planted effect of the control."""
    return float(trial["run"].loss[2])


def triggered(trial: Trial) -> bool:
    """The planted precondition."""
    return trial["run"].has_spike


def planted_claim(kind: str = "tendency", **axes: Ladder) -> Claim:
    """A claim about such a world, over two ladders unless others are given."""
    return Claim(
        id="planted",
        says="planted",
        where="nowhere",
        kind=kind,  # type: ignore[arg-type]
        domain=Domain(REFERENCE, **(axes or {"width": Ladder(20, 50, 100), "lr": Ladder(0.1, 0.2, 0.3)})),
        measure=effect,
        unit="planted units",
        predicts=Prediction(above=0.0, of_seeds=REQUIRED, level=0.95),
        control=Control(says="planted", measure=control_effect),
        applies=triggered,
    )
