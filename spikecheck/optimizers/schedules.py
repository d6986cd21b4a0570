"""Learning rates that change as training goes on."""

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
"""Share of the steps in which the rate rises to its full height."""


def factor(schedule: str, done: int, steps: int) -> float:
    """Of the learning rate, for the update after `done` of `steps` updates; its last value from there on.

    `linear` and `cosine` fall to 0 as `torch.optim.lr_scheduler.LinearLR` and `CosineAnnealingLR` do.

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
    """A rule whose rate is the member's own times a factor that depends on how many updates it has made."""

    rule: UpdateRule
    setting: Setting

    @property
    def slots(self) -> tuple[str, ...]:
        """The rule's."""
        return self.rule.slots

    def begin(self, params: Float[Tensor, "B P"]) -> Slots:
        """As the rule begins."""
        return self.rule.begin(params)

    def move(
        self, ensemble: Ensemble, grads: Float[Tensor, "B P"], moving: Bool[Tensor, " B"] | None
    ) -> tuple[Float[Tensor, "B P"], Mapping[str, Tensor]]:
        """The rule's update, at the rate of now."""
        return self.rule.move(self.paced(ensemble), grads, moving)

    def step(
        self,
        params: Float[Tensor, "B P"],
        grads: Float[Tensor, "B P"],
        slots: Slots,
        lr: Float[Tensor, "B 1"],
        done: Int[Tensor, "B 1"],
    ) -> tuple[Float[Tensor, "B P"], Slots]:
        """The rule's, at the rate given."""
        return self.rule.step(params, grads, slots, lr, done)

    def kept(self, ensemble: Ensemble) -> Ensemble:
        """As the rule keeps it."""
        return self.rule.kept(ensemble)

    def evaluated(self, ensemble: Ensemble) -> Float[Tensor, "B P"]:
        """As the rule evaluates it."""
        return self.rule.evaluated(ensemble)

    def threshold(self, lr: float) -> float | None:
        """The rule's, at the full rate."""
        return self.rule.threshold(lr)

    def preconditioner(self, slots: Slots, done: Int[Tensor, "B 1"]) -> Float[Tensor, "B P"] | None:
        """The rule's."""
        return self.rule.preconditioner(slots, done)

    def paced(self, ensemble: Ensemble) -> Ensemble:
        """The same states at the rates of now."""
        return replace(ensemble, lr=self.rates(ensemble.lr, ensemble.done))

    def rates(self, lr: Float[Tensor, " B"], done: Int[Tensor, "*T B"]) -> Float[Tensor, "*T B"]:
        """The members' rates after so many updates."""
        steps = self.setting.steps
        return lr * _factors(self.setting.schedule, steps, lr.dtype, lr.device)[done.clamp(max=steps)]


@lru_cache(maxsize=8)
def _factors(schedule: str, steps: int, dtype: torch.dtype, device: torch.device) -> Float[Tensor, " T"]:
    """Looked up rather than computed: torch rounds the end of a tensor of cosines differently from the rest."""
    every = [factor(schedule, done, steps) for done in range(steps + 1)]
    return torch.tensor(every, dtype=torch.float64).to(device, dtype)
