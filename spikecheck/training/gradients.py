"""The gradients that a training follows: those of the full batch, of mini-batches, with noise, or clipped.

Random draws depend only on a member's seed and on the number of its updates. So a training resumed from a stored state, or a
fork, draws what the original training would have drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikecheck.objective.objective import Objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.tensors.seeding import generator_of

Gradients = Callable[[Ensemble], tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]]
"""Every member's full-batch loss, and the gradient that its next update takes."""

_STEPS_A_DRAW = 100
"""Steps for which noise is drawn at a time: seeding a generator takes longer than drawing from it."""


def followed(
    objective: Objective, seeds: Sequence[int], noise: float | None = None, own_loss: bool = False
) -> Gradients:
    """The gradients that the settings describe; `noise` replaces their gradient_noise.

    The losses are those of the full batch; with `own_loss`, those of the mini-batch behind each gradient.
    """
    setting = objective.settings[0]
    gradients = full_batch(objective) if setting.batch is None else Minibatches(objective, seeds, own_loss)
    deviation = setting.gradient_noise if noise is None else noise
    noisy = Noisy(gradients, seeds, deviation) if deviation > 0.0 else gradients
    return noisy if setting.clip is None else Clipped(noisy, setting.clip)


class Minibatches:
    """Gradients of mini-batches of `batch` points, drawn without replacement; an incomplete last batch is dropped."""

    def __init__(self, objective: Objective, seeds: Sequence[int], own_loss: bool = False) -> None:
        """With `own_loss`, losses are those of the mini-batches."""
        self._own_loss = own_loss
        size = objective.settings[0].batch or objective.points
        self._objective = objective
        self._seeds = tuple(seeds)
        self._size = min(size, objective.points)
        self._turns = objective.points // self._size
        self._passes = [-1] * len(self._seeds)
        self._orders = torch.zeros(len(self._seeds), objective.points, dtype=torch.int64)

    def __call__(self, ensemble: Ensemble) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """The losses of the full batch or of the mini-batches, and the gradients of one mini-batch per member."""
        chosen = self.chosen(ensemble.done.tolist()).to(ensemble.params.device)
        losses, gradients = self._objective.gradient_at(ensemble.params, chosen)
        if not self._own_loss:
            with torch.no_grad():
                losses = self._objective.losses(ensemble.params)
        return losses, gradients

    def chosen(self, done: Sequence[int]) -> Int[Tensor, "B N"]:
        """Indices of the points in every member's next mini-batch, after `done` updates each."""
        rows = []
        for member, (seed, updates) in enumerate(zip(self._seeds, done, strict=True)):
            turn = updates // self._turns
            if self._passes[member] != turn:
                self._passes[member] = turn
                generator = generator_of(seed, "batches", turn)
                self._orders[member] = torch.randperm(self._orders.shape[1], generator=generator)
            first = updates % self._turns * self._size
            rows.append(self._orders[member, first : first + self._size])
        return torch.stack(rows)


class Noisy:
    """Gradients with independent normal noise on every component."""

    def __init__(self, gradients: Gradients, seeds: Sequence[int], deviation: float) -> None:
        self._gradients = gradients
        self._seeds = tuple(seeds)
        self._deviation = deviation
        self._draws: dict[int, tuple[int, Tensor]] = {}

    def __call__(self, ensemble: Ensemble) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """The unchanged losses, and the gradients with this step's noise."""
        losses, gradients = self._gradients(ensemble)
        drawn = [self._drawn(member, updates, gradients) for member, updates in enumerate(ensemble.done.tolist())]
        return losses, gradients + self._deviation * torch.stack(drawn)

    def _drawn(self, member: int, updates: int, like: Tensor) -> Tensor:
        block = updates // _STEPS_A_DRAW
        if self._draws.get(member, (-1, like))[0] != block:
            generator = generator_of(self._seeds[member], "noise", block)
            draws = torch.randn(_STEPS_A_DRAW, like.shape[1], generator=generator, dtype=torch.float64)
            self._draws[member] = block, draws.to(like)
        return self._draws[member][1][updates % _STEPS_A_DRAW]


class Clipped:
    """Gradients clipped to length `norm`, each member's separately, as by `torch.nn.utils.clip_grad_norm_`."""

    def __init__(self, gradients: Gradients, norm: float) -> None:
        self._gradients = gradients
        self._norm = norm

    def __call__(self, ensemble: Ensemble) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """The unchanged losses, and the clipped gradients."""
        losses, gradients = self._gradients(ensemble)
        lengths = gradients.square().sum(1, keepdim=True).sqrt()
        return losses, gradients * (self._norm / (lengths + 1e-6)).clamp(max=1.0)


@dataclass(frozen=True)
class FullBatch:
    """The unmodified gradients of all training points."""

    objective: Objective

    def __call__(self, ensemble: Ensemble) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """The objective's losses and gradients."""
        return self.objective.gradient(ensemble.params)


def full_batch(objective: Objective) -> Gradients:
    """The unmodified gradients of all training points."""
    return FullBatch(objective)
