"""A tile's members as tensors, ready to train, and the stored states from which trainings are resumed.

Axes: B members, P parameters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Array
from spikecheck.core.setting import Setting
from spikecheck.lab.run_codec import Checkpoints
from spikecheck.lab.trained import Trained, checkpoint_stride
from spikecheck.objective.objective import Objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import UpdateRule
from spikecheck.training.gradients import Gradients
from spikecheck.training.loop import Tick, rates, train

T = TypeVar("T")


@dataclass(frozen=True)
class Batch:
    """The members of one tile, including the copies that fill it up."""

    recipes: list[Recipe]
    objective: Objective
    rule: UpdateRule
    lr: Tensor
    """Learning rates, [B] in float64."""
    gradients: Gradients
    device: str
    wanted: int
    """The first `wanted` recipes get a result; the others are copies of the first recipe and only fill the tile."""

    @property
    def setting(self) -> Setting:
        """The first member's setting; the other members share its signature."""
        return self.recipes[0].setting

    @property
    def seeds(self) -> list[int]:
        """One seed per member."""
        return [recipe.seed for recipe in self.recipes]

    @property
    def stride(self) -> int:
        """Updates between two checkpoints of a whole training run."""
        return self.stride_of(self.setting.steps)

    def stride_of(self, steps: int) -> int:
        """Updates between two checkpoints when `steps` updates are made."""
        return checkpoint_stride(steps, self.objective.size * (1 + len(self.rule.slots)))

    def state(self, kept: Sequence[Checkpoints], index: Sequence[int]) -> Ensemble:
        """The ensemble in which each member is at its own checkpoint: number `index[member]` of `kept[member]`."""

        def gathered(rows: list[Array]) -> Tensor:
            return torch.from_numpy(np.stack(rows)).to(self.device)

        params = gathered([k.params[i] for k, i in zip(kept, index, strict=True)])
        return Ensemble(
            params=params,
            slots={
                name: gathered([k.slots[name][i] for k, i in zip(kept, index, strict=True)]) for name in self.rule.slots
            },
            done=torch.tensor([int(k.steps[i]) for k, i in zip(kept, index, strict=True)], device=self.device),
            lr=rates(self.objective, self.lr, params),
            alive=torch.ones(len(kept), dtype=torch.bool, device=self.device),
        )

    def resumed(self, parents: Sequence[Trained], steps: Sequence[int], tick: Tick) -> Ensemble:
        """Every parent's exact state at its own step: resumed from the last checkpoint at or before it."""
        kept = [required(parent.checkpoints) for parent in parents]
        nearest = [int(np.searchsorted(k.steps, step, side="right")) - 1 for k, step in zip(kept, steps, strict=True)]
        until = torch.tensor(list(steps), device=self.device)
        return train(self.objective, self.rule, self.state(kept, nearest), until, tick, gradients=self.gradients).end

    def ends(self, trained: Sequence[Trained]) -> Tensor:
        """The final parameters of finished trainings, [B, P] in the objective's dtype."""
        params = torch.stack([torch.tensor(one.run.snapshots["end"].params) for one in trained])
        return params.to(self.lr.device, self.objective.train.x.dtype)


def required(value: T | None) -> T:
    """The value itself; the laboratory has checked before that it exists.

    Raises:
        ValueError: when the value is None.
    """
    if value is None:
        raise ValueError("a fork or probe was planned for a training that cannot be resumed")
    return value
