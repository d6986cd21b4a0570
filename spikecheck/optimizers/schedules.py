"""Learning rates that change during training."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import Slots, UpdateRule

WARMUP = 0.1
"""Share of the steps in which the learning rate rises to its full value."""


def factor(schedule: str, done: int, steps: int) -> float:
    """The factor in [0, 1] of the learning rate, for the update after `done` of `steps` updates.

    From `steps` on it keeps its last value. `linear` and `cosine` fall to 0 as `torch.optim.lr_scheduler.LinearLR` and
    `CosineAnnealingLR` do.

    >>> factor("cosine", 50, 100), factor("warmup-cosine", 4, 100), factor("constant", 7, 100)
    (0.5, 0.5, 1.0)
    """
    done = min(done, steps)
    if schedule == "linear":
        return 1.0 - done / steps
    if schedule == "cosine":
        return round((1.0 + math.cos(math.pi * done / steps)) / 2, 15)
    if schedule == "warmup-cosine":
        rising = max(1, round(WARMUP * steps))
        if done < rising:
            return (done + 1) / rising
        return factor("cosine", done - rising, max(1, steps - rising))
    return 1.0


@dataclass(frozen=True)
class Scheduled(UpdateRule):
    """A rule with a schedule: each member's learning rate is multiplied by a factor that depends on its updates made."""

    rule: UpdateRule
    setting: Setting

    @property
    def slots(self) -> tuple[str, ...]:
        """The rule's own slots."""
        return self.rule.slots

    def begin(self, params: Float[Tensor, "B P"]) -> Slots:
        """The rule's own initial state."""
        return self.rule.begin(params)

    def move(
        self, ensemble: Ensemble, grads: Float[Tensor, "B P"], moving: Bool[Tensor, " B"] | None
    ) -> tuple[Float[Tensor, "B P"], Mapping[str, Tensor]]:
        """The rule's update at the present learning rates."""
        return self.rule.move(self.paced(ensemble), grads, moving)

    def step(
        self,
        params: Float[Tensor, "B P"],
        grads: Float[Tensor, "B P"],
        slots: Slots,
        lr: Float[Tensor, "B 1"],
        done: Int[Tensor, "B 1"],
    ) -> tuple[Float[Tensor, "B P"], Slots]:
        """The rule's step at the given learning rates; the schedule is not applied."""
        return self.rule.step(params, grads, slots, lr, done)

    def kept(self, ensemble: Ensemble) -> Ensemble:
        """The rule's own `kept`."""
        return self.rule.kept(ensemble)

    def evaluated(self, ensemble: Ensemble) -> Float[Tensor, "B P"]:
        """The rule's own `evaluated`."""
        return self.rule.evaluated(ensemble)

    def threshold(self, lr: float) -> float | None:
        """The rule's threshold at the full learning rate."""
        return self.rule.threshold(lr)

    def preconditioner(self, slots: Slots, done: Int[Tensor, "B 1"]) -> Float[Tensor, "B P"] | None:
        """The rule's own preconditioner."""
        return self.rule.preconditioner(slots, done)

    def paced(self, ensemble: Ensemble) -> Ensemble:
        """The same states with the present learning rates."""
        return replace(ensemble, lr=self.rates(ensemble.lr, ensemble.done))

    def rates(self, lr: Float[Tensor, " B"], done: Int[Tensor, "*T B"]) -> Float[Tensor, "*T B"]:
        """The members' learning rates after `done` updates."""
        steps = self.setting.steps
        return lr * _factors(self.setting.schedule, steps, lr.dtype, lr.device)[done.clamp(max=steps)]


@lru_cache(maxsize=8)
def _factors(schedule: str, steps: int, dtype: torch.dtype, device: torch.device) -> Float[Tensor, " T"]:
    """The factors of all steps. A table is needed: torch rounds the end of a tensor of cosines differently from the rest."""
    every = [factor(schedule, done, steps) for done in range(steps + 1)]
    return torch.tensor(every, dtype=torch.float64).to(device, dtype)
