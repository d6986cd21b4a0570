"""Settings and runs of the package, and the same nets in NumPy."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from spikecheck import SETTING_A, SETTING_B, Laboratory, Recipe, Setting
from spikecheck.core.probe import Probe
from spikecheck.core.run import Run
from tests.second.network import Net, Numbers


@dataclass(frozen=True)
class Case:
    """A setting, and its target as (amplitude, frequency): the package's own reading of targets is not trusted with it."""

    setting: Setting
    terms: tuple[tuple[float, float], ...] = ((1.0, 1.0),)

    def but(self, **changes: Any) -> "Case":
        """With other conditions and the same target."""
        return Case(self.setting.but(**changes), self.terms)

    def target(self, x: Numbers) -> Numbers:
        """At any inputs."""
        return np.array([size * np.sin(frequency * x) for size, frequency in self.terms]).sum(axis=0)

    @property
    def net(self) -> Net:
        """Points evenly spaced over the interval, its ends among them."""
        half = self.setting.interval * np.pi
        x = np.linspace(-half, half, self.setting.points)
        return Net(x, self.target(x), self.setting.activation)

    @property
    def held_out(self) -> Numbers:
        """Midpoints of 256 equal cells of the interval."""
        half = self.setting.interval * np.pi
        edges = np.linspace(-half, half, 257)
        return (edges[:-1] + edges[1:]) / 2


A = Case(SETTING_A)
B = Case(SETTING_B, ((1.0, 1.0), (1.0, 3.0)))
# As short as half of the seeds need for their first spike, and too short to be compiled: that would take longer.
SPIKING = {"A": A.but(steps=500), "B": B.but(steps=950)}
SEEDS = range(12)


@lru_cache(maxsize=1)
def laboratory() -> Laboratory:
    """One for all tests of a process: without a store it keeps what it has trained, and many ask for the same."""
    return Laboratory()


def runs(case: Case, seeds: Iterable[int], probe: Probe | None = None) -> dict[int, Run]:
    """The package's runs by seed; a seed is left out where there is no spike to fork from or to dissect."""
    recipes = [Recipe(setting=case.setting, seed=seed, probe=probe) for seed in seeds]
    return {recipe.seed: run for recipe, run in laboratory().runs(recipes).items()}
