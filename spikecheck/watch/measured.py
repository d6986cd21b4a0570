"""Trainings of workloads whose curvature is measured on the way: the loss of an epoch's batches, and single batches.

Looks lie evenly over the training. What is measured at one is of the parameters that the next step starts from. The training
itself has the same bits with and without: its batches are drawn from a second training made alike, and products with the
Hessian leave parameters, buffers and random generators as they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spikecheck.curvature.directional import ModelCurvature, model_curvature
from spikecheck.curvature.hessian import gradient_curvature
from spikecheck.curvature.largest import Largest, largest
from spikecheck.curvature.torch_threshold import rule_now
from spikecheck.tensors.random_state import random_state_kept
from spikecheck.watch.merging import Parts, parts_of
from spikecheck.watch.runs import Order
from spikecheck.watch.training import Step, Training

LOOKS = 50
"""Over a training, so that a median over its second half rests on 25."""
MOST = 256
"""Batches of an epoch that stand for the whole of it: more, or an endless source, would make a product too expensive."""
_PRECONDITIONED = (torch.optim.RMSprop, torch.optim.Adam, torch.optim.AdamW)


@dataclass(frozen=True)
class Wanted:
    """What is measured at each look."""

    curvature: bool = False
    """The largest eigenvalue of the Hessian over an epoch's batches, preconditioned where the optimizer's rule is known to be,
    and the curvature along that loss's gradient."""
    batches: int = 0
    """Single batches whose curvature along their own gradients is measured; 0 for none."""
    looks: int = LOOKS


@dataclass(frozen=True)
class MeasuredOrder(Order):
    """A training that is measured on the way. Without anything wanted it keeps its losses alone."""

    rate: float = 1.0
    """Every learning rate of the workload's own optimizer, times so much."""
    wanted: Wanted = Wanted()

    def begin(self) -> Training:
        """The training before its first step."""
        training = super().begin()
        if self.rate != 1.0:
            _scale(training, self.rate)
        return training

    def looker(self, training: Training) -> "CurvatureLooker | None":
        """Measures what is wanted; None for nothing."""
        if not (self.wanted.curvature or self.wanted.batches):
            return None
        with random_state_kept():
            batches = self.begin().epoch(MOST)
        return CurvatureLooker(training, batches, self.wanted, self.steps, self.seed)


class CurvatureLooker:
    """Looks at one training; see `runs.Looker`."""

    def __init__(self, training: Training, batches: list[Any], wanted: Wanted, steps: int, seed: int) -> None:
        self._training, self._batches, self._wanted, self._seed = training, batches, wanted, seed
        self._parts: Parts | None = None
        self._previous: Largest | None = None
        self._rows: list[dict[str, float]] = []
        spread = np.linspace(0, steps - 1, min(wanted.looks, steps)).round().astype(int)
        first = 1 if isinstance(training.optimizer, _PRECONDITIONED) else 0  # before a step there is no second moment
        self._due = {max(int(step), first) for step in spread}

    def begin(self) -> None:
        """Look before the first step."""
        self._look(0)

    def __call__(self, step: Step) -> None:
        """Look before the step that follows this one."""
        self._look(step.number + 1)

    @property
    def over(self) -> bool:
        """Whether no look is due any more: the last is due at the last step."""
        return False

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """By name, one number a look; looks at which any was no number are left out."""
        sound = [row for row in self._rows if all(map(np.isfinite, row.values()))]
        names = sound[0] if sound else {}
        return {name: np.array([row[name] for row in sound], dtype=np.float64) for name in names}

    def state(self) -> dict[str, Any]:
        """The looks so far, and where the next search for an eigenvalue starts."""
        return {"rows": self._rows, "basis": None if self._previous is None else self._previous.basis}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._rows, basis = list(state["rows"]), state["basis"]
        if basis is not None:
            self._previous = Largest(float("nan"), basis[:, 0], float("inf"), False, 0, basis)

    def _look(self, step: int) -> None:
        if step not in self._due:
            return
        rates = [float(group["lr"]) for group in self._training.optimizer.param_groups]
        row = {"steps": float(step), "lr": max(rates), "slowest_lr": min(rates)}
        if self._wanted.curvature:
            row |= self._curvature()
        if self._wanted.batches:
            row |= self._single(step)
        self._rows.append(row)

    def _curvature(self) -> dict[str, float]:
        training = self._training
        if self._parts is None:
            self._parts = parts_of(training, self._batches)
        local = self._seen(model_curvature(training.model, training.loss, self._parts.batches, self._parts.weights))
        self._previous = largest(local, self._previous)
        return {
            "sharpness": self._previous.value,
            "residual": self._previous.residual,
            "gradient_curvature": float(gradient_curvature(local)),
        }

    def _seen(self, local: ModelCurvature) -> ModelCurvature:
        """The Hessian as the optimizer's steps see it; as it is where its rule is not known."""
        if not isinstance(self._training.optimizer, torch.optim.SGD | torch.optim.RMSprop | torch.optim.Adam):
            return local
        rule = rule_now(self._training.optimizer, self._training.model, local.gradients)
        seen = local if rule.decay is None else local.decayed(rule.decay)
        return seen if rule.preconditioner is None else seen.preconditioned(rule.preconditioner)

    def _single(self, step: int) -> dict[str, float]:
        """Mean of gHg over mean of gg, and the mean of uHu, over single batches drawn for this look."""
        drawn = np.random.default_rng([self._seed, step])
        count = min(self._wanted.batches, len(self._batches))
        bends, squares, along = [], [], []
        for number in drawn.choice(len(self._batches), count, replace=False):
            local = model_curvature(self._training.model, self._training.loss, [self._batches[number]])
            direction = torch.from_numpy(drawn.standard_normal(local.gradients.shape)).to(local.gradients)
            direction = torch.nn.functional.normalize(direction, dim=1)
            images = local.product(torch.stack([local.gradients, direction], 1))
            bends.append(float((images[:, 0] * local.gradients).sum()))
            squares.append(float(local.gradients.square().sum()))
            along.append(float((images[:, 1] * direction).sum()))
        whole = sum(squares)
        return {"batch_sharpness": sum(bends) / whole if whole else 0.0, "random_curvature": sum(along) / count}


def _scale(training: Training, rate: float) -> None:
    """Multiply every learning rate, including the initial ones that schedulers use."""
    for part in training.state.values():
        if isinstance(part, torch.optim.Optimizer):
            for group in part.param_groups:
                group["lr"] *= rate
                if "initial_lr" in group:
                    group["initial_lr"] *= rate
        elif isinstance(part, torch.optim.lr_scheduler.LRScheduler):
            part.base_lrs = [base * rate for base in part.base_lrs]
