"""The update rule that a setting names: built-in, or from another package."""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from spikecheck.models.parameter_layout import spans
from spikecheck.objective.objective import Objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import UpdateRule, rule_of
from spikecheck.optimizers.schedules import Scheduled
from spikecheck.optimizers.torch_optimizer import NamedOptimizer
from spikecheck.training.gradients import Gradients, followed


def rule_for(objective: Objective, seeds: Sequence[int] | None = None) -> UpdateRule:
    """The update rule of an objective's members. `seeds` decide what an optimizer draws; by default 0, 1, 2, …

    Raises:
        SettingError: when an optimizer named by MODULE:NAME cannot be used.
    """
    setting = objective.settings[0]
    own = range(objective.members) if seeds is None else seeds
    rule = _named(objective, own) if setting.named else rule_of(setting)
    return rule if setting.schedule == "constant" else Scheduled(rule, setting)


def _named(objective: Objective, seeds: Sequence[int]) -> NamedOptimizer:
    @lru_cache(maxsize=objective.members)
    def alone(member: int) -> Gradients:
        return followed(objective.select([member]), [seeds[member]], own_loss=True)

    def evaluate(member: int, row: Tensor, done: int) -> tuple[float, Tensor]:
        there = Ensemble(row[None], {}, torch.tensor([done]), row.new_zeros(1), torch.ones(1, dtype=torch.bool))
        losses, gradients = alone(member)(there)
        return float(losses[0]), gradients[0]

    return NamedOptimizer(objective.settings, spans(objective.model), seeds, evaluate)
