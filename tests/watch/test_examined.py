"""What a workload's training is, found out before any is made."""

from dataclasses import replace

import pytest

from spikecheck.watch.examined import examine
from spikecheck.watch.measured import MeasuredOrder, Wanted
from spikecheck.watch.workload import OptimizerChoice, Workload
from tests.watch.measured_trainings import order


@pytest.mark.parametrize(
    ("optimizer", "numbers", "name"),
    [
        ("torch.optim:SGD", {"lr": 0.1}, "gd"),
        ("torch.optim:SGD", {"lr": 0.1, "momentum": 0.9}, "heavy-ball"),
        ("torch.optim:SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, "nesterov"),
        ("torch.optim:SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}, "torch.optim.sgd:SGD"),
        ("torch.optim:Adam", {"lr": 0.1}, "adam"),
        ("torch.optim:AdamW", {"lr": 0.1}, "adamw"),
        ("torch.optim:Adam", {"lr": 0.1, "amsgrad": True}, "torch.optim.adam:Adam"),
    ],
)
def test_an_optimizer_is_recognised(optimizer: str, numbers: dict[str, float], name: str) -> None:
    chosen = replace(order(wanted=Wanted()), optimizer=OptimizerChoice.of(optimizer, numbers))
    found = examine(chosen)
    assert found.optimizer["optimizer"] == name
    assert found.optimizer["lr"] == 0.1
    assert found.noisy
    assert not found.rate_varies


def test_a_scheduler_is_seen() -> None:
    resnet = MeasuredOrder(Workload.of("resnet", {"steps": 20}), 0, 20, None, "cpu")
    assert examine(resnet).rate_varies == "LambdaLR changes it"
