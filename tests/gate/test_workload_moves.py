"""An optimizer that moves nothing is refused before a workload is trained with it."""

import pytest
import torch

from spikecheck.core.errors import SettingError
from spikecheck.core.scorecard import OptimizerSpec
from spikecheck.gate.workload_moves import check_moves
from spikecheck.watch.training import Training

WHO = OptimizerSpec(optimizer="torch.optim:SGD", lr=0.1)


def training(first: int, *, module: bool = True) -> Training:
    """Its only weight moves for the first time at step `first`."""
    weight = torch.nn.Linear(1, 1, bias=False)
    made = [0]

    def step(batch: object) -> float:
        if made[0] >= first:
            weight.weight.data += 1.0
        made[0] += 1
        return 1.0

    state = {"model": weight} if module else {"optimizer": torch.optim.SGD(weight.parameters(), lr=0.1)}
    return Training(step=step, batches=[0], state=state)


@pytest.mark.parametrize("first", [0, 7])
def test_one_that_moves_late_is_taken(first: int) -> None:
    watched = training(first)
    check_moves(watched, WHO, 20)
    assert watched.steps == first + 1


def test_one_that_never_moves_is_refused() -> None:
    with pytest.raises(SettingError, match=r"lr=0.1: torch.optim:SGD moves no parameter in 20 steps of the workload; "):
        check_moves(training(20), WHO, 20)


def test_without_a_module_nothing_is_known() -> None:
    check_moves(training(20, module=False), WHO, 20)
