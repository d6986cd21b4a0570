"""How far the first steps of a training go: they tell a changed update rule before the loss does.

Candidate and reference start from the same weights and meet the same batches. After ten steps their trainings have hardly
drifted apart, so that the ways differ by what the update rules make of the same gradients, and not by chance.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import torch

from spikecheck.core.errors import UsageError
from spikecheck.watch.training import Training
from spikecheck.watch.workload import MakeOptimizer

STEPS = 10
"""Enough for an average over steps; few enough for the batches' gradients to be the same on both sides."""
_FARTHEST = 60.0
"""log2 of the way that stands for one that is no number; others are clipped to it, on both sides of 1."""


class MakeAtSeed(Protocol):
    """Makes a workload's training."""

    def __call__(self, optimizer: MakeOptimizer, /, *, seed: int) -> Training:
        """Before its first step."""
        ...


def first_steps(make: MakeAtSeed, optimizer: MakeOptimizer, seeds: Iterable[int]) -> tuple[float | None, ...]:
    """log2 of the distance from the initial weights after ten steps, seed by seed.

    None where the training's state holds no module, whose parameters could be followed.
    """
    return tuple(_way(make(optimizer, seed=seed)) for seed in seeds)


def _way(training: Training) -> float | None:
    try:
        parameters = list(training.model.parameters())
    except UsageError:
        return None
    before = [parameter.detach().clone() for parameter in parameters]
    training.run(STEPS)
    moved = [parameter.detach() - old for parameter, old in zip(parameters, before, strict=True)]
    way = float(torch.stack([each.double().norm() for each in moved]).norm()) if moved else 0.0
    if not np.isfinite(way):
        return _FARTHEST
    return float(np.clip(np.log2(way), -_FARTHEST, _FARTHEST)) if way else -_FARTHEST
