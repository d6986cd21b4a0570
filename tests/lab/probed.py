"""Small trainings with a probe, for tests that compare what it records with brute force."""

from collections.abc import Iterable

import torch
from torch import Tensor

from spikecheck.core.probe import Probe
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Array, Run
from spikecheck.core.setting import Setting
from spikecheck.lab.laboratory import Laboratory
from spikecheck.objective.objective import Objective, build_objective

SPIKING = Setting(steps=700)
SHORT = Setting(width=7, points=9, steps=60)


def runs(
    setting: Setting, seeds: Iterable[int], probe: Probe | None = None, lab: Laboratory | None = None
) -> dict[int, Run]:
    """The run of each seed, trained by `lab` or by a laboratory of its own."""
    found = (lab or Laboratory()).runs([Recipe(setting=setting, seed=seed, probe=probe) for seed in seeds])
    return {recipe.seed: run for recipe, run in found.items()}


def restored(run: Run, landmark: str) -> tuple[Objective, Tensor]:
    """The objective of a run, and its parameters [1, P] at a landmark."""
    return build_objective([run.setting]), torch.from_numpy(run.snapshots[landmark].params.copy())[None]


def outputs(run: Run, landmark: str) -> Array:
    """The outputs on the held-out points at a landmark."""
    goal, params = restored(run, landmark)
    return goal.test_outputs(params)[0].numpy()
