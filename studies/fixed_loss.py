"""What single steps of a training do to the loss on a fixed set of training points, beside what they do to their own batch.

Nothing of the training changes. Losses and derivatives are computed in double precision, at the parameters that the training
has in its own, so that changes are resolved where the loss is 1e-8.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from spikecheck.core.record import Record
from spikecheck.curvature.directional import along_update, flattened, model_curvature
from spikecheck.curvature.hessian import gradient_curvature
from spikecheck.curvature.torch_threshold import rule_now
from spikecheck.tensors.random_state import random_state_kept
from spikecheck.watch.merging import Parts, parts_of
from spikecheck.watch.runs import Order
from spikecheck.watch.training import Step as Made
from spikecheck.watch.training import Training

MOST = 32
"""Batches of the first epoch that make up the fixed set, at most: all of them in the kinds that spike, but for `gpt`, whose
batches have no end."""


class FixedStep(Record):
    """One step, from the parameters before it to those after it. L is the loss on the fixed set, in nats."""

    step: int
    loss: float
    """L before the step."""
    half: float
    """L at half of the step."""
    after: float
    """L after the step."""
    slope: float
    """g.u, with g the gradient of L before the step and u the step."""
    bend: float
    """u.Hu, with H the Hessian of L before the step."""
    gradient_curvature: float
    """Curvature of L along its own gradient, preconditioned as the step was, over the threshold of the optimizer's rule."""
    own_square: float
    """g.g of the step's own batch, preconditioned as the step was: 1/sqrt(v) times."""
    own_bend: float
    """g.Hg of the step's own batch, preconditioned alike; over `own_square` the preconditioned batch sharpness."""
    rate: float

    @property
    def change(self) -> float:
        """By which the step changed L."""
        return self.after - self.loss

    @property
    def half_slope(self) -> float:
        """The slope by the three losses, without any gradient: exact on a parabola."""
        return 4.0 * self.half - 3.0 * self.loss - self.after


def fixed_parts(order: Order) -> Parts:
    """The training points: the batches of its first epoch, joined to larger ones, and their weights, in double precision."""
    with random_state_kept():
        training = order.begin()
        parts = parts_of(training, training.epoch(MOST))
    return Parts([_double(batch) for batch in parts.batches], parts.weights)


class FixedLooker:
    """Observes the steps of one training. Its parameters before a step are those after the step that it saw last."""

    def __init__(self, training: Training, parts: Parts) -> None:
        """Begin at the parameters that the training has now."""
        self._training, self._parts = training, parts
        self._before = self._now()
        self.steps: list[FixedStep] = []

    def __call__(self, made: Made) -> None:
        """Measure a step that was just made."""
        after = self._now()
        with random_state_kept():
            self.steps.append(self._measured(made, self._before, after))
        self._before = after

    def _now(self) -> list[Tensor]:
        return [parameter.detach().double() for parameter in self._training.model.parameters()]

    def _measured(self, made: Made, before: list[Tensor], after: list[Tensor]) -> FixedStep:
        middle = [(one + other) / 2.0 for one, other in zip(before, after, strict=True)]
        with _placed(self._training.model, before):
            numbers = self._derivatives(made, [other - one for one, other in zip(before, after, strict=True)])
        with _placed(self._training.model, middle):
            half = self._loss()
        with _placed(self._training.model, after):
            return FixedStep(step=made.number, half=half, after=self._loss(), **numbers)

    def _derivatives(self, made: Made, update: list[Tensor]) -> dict[str, float]:
        training = self._training
        local = model_curvature(training.model, training.loss, self._parts.batches, self._parts.weights)
        along = along_update(local, flattened(update, local.gradients))
        rule = rule_now(training.optimizer, training.model, local.gradients)
        own = model_curvature(training.model, training.loss, [_double(made.batch)])
        if rule.preconditioner is not None:
            local, own = local.preconditioned(rule.preconditioner), own.preconditioned(rule.preconditioner)
        square = float(own.gradients.square().sum())
        return {
            "loss": float(local.losses),
            "slope": along.slope,
            "bend": along.bend,
            "gradient_curvature": float(gradient_curvature(local)) / rule.threshold,
            "own_square": square,
            "own_bend": float(gradient_curvature(own)) * square,
            "rate": max(float(group["lr"]) for group in training.optimizer.param_groups),
        }

    def _loss(self) -> float:
        with torch.no_grad():
            losses = [float(self._training.loss(batch)) for batch in self._parts.batches]
        weights = self._parts.weights
        return sum(weight * loss for weight, loss in zip(weights, losses, strict=True)) / sum(weights)


@contextmanager
def _placed(model: nn.Module, values: Sequence[Tensor]) -> Iterator[None]:
    """Inside, the model's parameters have these values, and their type."""
    parameters = list(model.parameters())
    own = [parameter.data for parameter in parameters]
    try:
        for parameter, value in zip(parameters, values, strict=True):
            parameter.data = value
        yield
    finally:
        for parameter, data in zip(parameters, own, strict=True):
            parameter.data = data


def _double(batch: Any) -> Any:
    """A batch whose real tensors are in double precision; a tensor, or a list or tuple of them."""
    if isinstance(batch, Tensor):
        return batch.double() if batch.is_floating_point() else batch
    return type(batch)(_double(part) for part in batch)
