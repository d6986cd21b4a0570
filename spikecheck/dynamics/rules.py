"""The update rule that a setting asks for, whoever wrote it."""

from functools import lru_cache

from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.dynamics.gradients import exact
from spikecheck.dynamics.named import NamedOptimizer
from spikecheck.dynamics.schedules import Scheduled
from spikecheck.dynamics.updates import UpdateRule, rule_of
from spikecheck.problems.objective import Objective
from spikecheck.problems.tensors import spans


def rule_for(goal: Objective) -> UpdateRule:
    """The rule by which an objective's members are trained.

    Raises:
        SettingError: when an optimizer named by MODULE:NAME cannot be used.
    """
    setting = goal.settings[0]
    rule = _named(goal, setting) if setting.named else rule_of(setting)
    return rule if setting.schedule == "constant" else Scheduled(rule, setting)


def threshold_of(setting: Setting) -> float | None:
    """The stability threshold of the setting's rule at its full rate; None where no formula is known."""
    return None if setting.named else rule_of(setting).threshold(setting.lr)


def _named(goal: Objective, setting: Setting) -> NamedOptimizer:
    @lru_cache(maxsize=goal.members)
    def alone(member: int) -> Objective:
        return goal.take([member])

    def evaluate(member: int, row: Tensor) -> tuple[float, Tensor]:
        losses, gradients = alone(member).gradient(row[None])
        return float(losses[0]), gradients[0]

    return NamedOptimizer(setting, spans(goal.model), evaluate if exact(setting) else None)
