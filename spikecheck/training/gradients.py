"""The gradients that a training follows: the full batch's, or noisier ones.

What is drawn depends on a member's seed and on how many updates it has made, and on nothing else. So a training that is
gone on with from a stored state draws what it would have drawn, and so does a fork.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.objective.objective import Objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.tensors.seeding import generator_of

Gradients = Callable[[Ensemble], tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]]
"""Every member's full-batch loss, and the gradient that its next update takes."""

_STEPS_A_DRAW = 100
"""Noise is drawn for so many steps at a time: seeding a generator takes longer than drawing from it."""


def followed(
    objective: Objective, seeds: Sequence[int], noise: float | None = None, own_loss: bool = False
) -> Gradients:
    """The gradients that the settings ask for; `noise` stands in for their gradient_noise.

    The losses are the full batch's, with `own_loss` those of the points that the gradients are of.
    """
    setting = objective.settings[0]
    found = full_batch(objective) if setting.batch is None else Minibatches(objective, seeds, own_loss)
    deviation = setting.gradient_noise if noise is None else noise
    noisy = Noisy(found, seeds, deviation) if deviation > 0.0 else found
    return noisy if setting.clip is None else Clipped(noisy, setting.clip)


def exact(setting: Setting) -> bool:
    """Whether trainings of this setting follow the full batch's own gradient."""
    return setting.batch is None and setting.gradient_noise == 0.0 and setting.clip is None


class Minibatches:
    """Gradients of `batch` points, drawn without replacement until all have had their turn; the rest of a pass is left out."""

    def __init__(self, objective: Objective, seeds: Sequence[int], own_loss: bool = False) -> None:
        """With `own_loss` losses are those of the mini-batches."""
        self._own_loss = own_loss
        size = objective.settings[0].batch or objective.points
        self._objective = objective
        self._seeds = tuple(seeds)
        self._size = min(size, objective.points)
        self._turns = objective.points // self._size
        self._passes = [-1] * len(self._seeds)
        self._orders = torch.zeros(len(self._seeds), objective.points, dtype=torch.int64)

    def __call__(self, ensemble: Ensemble) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """The full batch's losses or the mini-batches' own, and the gradients of one mini-batch a member."""
        chosen = self.chosen(ensemble.done.tolist()).to(ensemble.params.device)
        losses, gradients = self._objective.gradient_at(ensemble.params, chosen)
        if not self._own_loss:
            with torch.no_grad():
                losses = self._objective.losses(ensemble.params)
        return losses, gradients

    def chosen(self, done: Sequence[int]) -> Int[Tensor, "B N"]:
        """Which points every member's next update looks at, after `done` updates each."""
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
        """The losses as they are, and the gradients with this step's noise."""
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
    """Gradients no longer than `norm`, every member's own, as `torch.nn.utils.clip_grad_norm_` shortens them."""

    def __init__(self, gradients: Gradients, norm: float) -> None:
        self._gradients = gradients
        self._norm = norm

    def __call__(self, ensemble: Ensemble) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """The losses as they are, and the gradients, shortened where they are longer."""
        losses, gradients = self._gradients(ensemble)
        lengths = gradients.square().sum(1, keepdim=True).sqrt()
        return losses, gradients * (self._norm / (lengths + 1e-6)).clamp(max=1.0)


@dataclass(frozen=True)
class FullBatch:
    """The gradients of all training points, as they are."""

    objective: Objective

    def __call__(self, ensemble: Ensemble) -> tuple[Float[Tensor, " B"], Float[Tensor, "B P"]]:
        """The objective's."""
        return self.objective.gradient(ensemble.params)


def full_batch(objective: Objective) -> Gradients:
    """The gradients of all training points, as they are."""
    return FullBatch(objective)
