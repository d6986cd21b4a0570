"""How far the first steps of a training go: they tell a changed update rule before the loss does.

Candidate and reference start from the same weights and meet the same batches. After ten steps their trainings have hardly
drifted apart, so that the ways differ by what the update rules make of the same gradients, and not by chance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.parameter import is_lazy

from spikecheck.core.errors import UsageError
from spikecheck.core.scorecard import FIRST_STEPS
from spikecheck.watch.runs import Order, WorkloadRun
from spikecheck.watch.training import Step, Training

STEPS = 10
"""Enough for an average over steps; few enough for the batches' gradients to be the same on both sides."""
_FARTHEST = 60.0
"""log2 of the way that stands for one that is no number; others are clipped to it, on both sides of 1."""


@dataclass(frozen=True)
class FirstStepsOrder(Order):
    """A training whose first steps are measured while it is made; no step is added, and no bit of it changes."""

    measured: int = STEPS

    def looker(self, training: Training) -> "FirstSteps | None":
        """Measures the way; None without a module whose parameters have their shapes before the first batch."""
        try:
            parameters = list(training.model.parameters())
        except UsageError:
            return None
        return None if any(map(is_lazy, parameters)) else FirstSteps(parameters, self.measured)


class FirstSteps:
    """The distance of some parameters from where they began, after some steps; see `watch.runs.Looker`."""

    def __init__(self, parameters: Sequence[Tensor], steps: int) -> None:
        self._parameters, self._steps = parameters, steps
        self._before: list[Tensor] = []
        self._way: list[float] = []

    def begin(self) -> None:
        """Keep a copy of the initial parameters."""
        self._before = [parameter.detach().clone() for parameter in self._parameters]

    def __call__(self, step: Step) -> None:
        """After the last of these steps measure, and drop the copy."""
        if step.number + 1 == self._steps:
            self._way, self._before = [log_distance(self._parameters, self._before)], []

    @property
    def over(self) -> bool:
        """Whether the way is known."""
        return bool(self._way)

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """log2 of the way [1]; [0] before it is known."""
        return {FIRST_STEPS: np.array(self._way, dtype=np.float64)}

    def state(self) -> dict[str, Any]:
        """The copy, or the way."""
        return {"before": self._before, "way": self._way}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._before, self._way = list(state["before"]), list(state["way"])


def way(run: WorkloadRun) -> float | None:
    """log2 of the distance from the initial weights after ten steps; None where it was not measured."""
    measured = run.arrays.get(FIRST_STEPS)
    return float(measured[0]) if measured is not None and len(measured) else None


def log_distance(now: Sequence[Tensor], before: Sequence[Tensor]) -> float:
    """log2 of the distance over all tensors together, in [-60, 60]; 60 where it is no number, -60 where it is 0."""
    moved = [new.detach() - old.to(new.device) for new, old in zip(now, before, strict=True)]
    distance = float(torch.stack([each.double().norm() for each in moved]).norm()) if moved else 0.0
    if not np.isfinite(distance):
        return _FARTHEST
    return float(np.clip(np.log2(distance), -_FARTHEST, _FARTHEST)) if distance else -_FARTHEST
