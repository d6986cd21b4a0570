"""Refuses an optimizer that moves no parameter of a workload: nothing compared with it could be worse."""

import torch

from spikecheck.core.errors import SettingError, UsageError
from spikecheck.core.scorecard import OptimizerSpec
from spikecheck.watch.training import Training


def check_moves(training: Training, contestant: OptimizerSpec, steps: int) -> None:
    """Make steps until a parameter has moved, at most so many. A training without a module is not checked.

    Raises:
        SettingError: none has moved.
    """
    try:
        before = _parameters(training)
    except UsageError:
        return
    for _ in range(steps):
        training.run(1)
        now = _parameters(training)
        if len(now) != len(before) or not all(map(torch.equal, now, before)):
            return
    raise SettingError(
        f"lr={contestant.lr:g}: {contestant.optimizer} moves no parameter in {steps:,} steps of the workload; give a larger "
        "rate, or see whether its step() writes to the parameters"
    )


def _parameters(training: Training) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in training.model.parameters()]
