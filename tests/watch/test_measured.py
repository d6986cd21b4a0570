"""Workloads measured on the way: nothing of the training changes, and figures are those of closed forms."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from spikecheck.lab.store import Store
from spikecheck.watch.examined import examine
from spikecheck.watch.measured import MeasuredOrder, Wanted
from spikecheck.watch.merging import parts_of
from spikecheck.watch.runs import Order, train
from spikecheck.watch.training import Training
from spikecheck.watch.workload import OptimizerChoice, Workload

SGD = OptimizerChoice.of("gd", {"lr": 0.1})
EVERYTHING = Wanted(curvature=True, batches=4, looks=3)


def order(steps: int = 30, wanted: Wanted = EVERYTHING) -> MeasuredOrder:
    return MeasuredOrder(Workload.of("mlp", {"batch": 256}), 3, steps, SGD, "cpu", wanted=wanted)


def test_a_measured_training_has_the_bits_of_another() -> None:
    """With dropout, so that random numbers are drawn at every step."""
    plain = train(Order(order().workload, 3, 30, SGD), None)
    assert np.array_equal(train(order(), None).losses, plain.losses)


def test_looks_survive_a_kill(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def tick(steps: int) -> None:
        if steps >= 16:
            raise Killed

    store = Store(tmp_path)
    whole = train(order(), None)
    with pytest.raises(Killed):
        train(order(), store, tick)
    resumed = train(order(), store)
    assert resumed.resumed_at > 0
    assert np.array_equal(resumed.losses, whole.losses)
    assert np.array_equal(resumed.arrays["steps"], whole.arrays["steps"])
    for name in ("sharpness", "batch_sharpness"):
        assert resumed.arrays[name] == pytest.approx(whole.arrays[name], rel=2e-3)
    again = train(order(), store)
    assert again.reused
    assert np.array_equal(again.arrays["sharpness"], resumed.arrays["sharpness"])


def quadratic(curvatures: list[float]) -> Training:
    """Batch i bends along coordinate i alone."""
    weight = torch.nn.ParameterList([torch.nn.Parameter(torch.ones(len(curvatures), dtype=torch.float64))])
    sgd = torch.optim.SGD(weight.parameters(), lr=0.1)

    def loss(pair: list[torch.Tensor]) -> torch.Tensor:
        number, curvature = pair
        return (curvature * weight[0][number].square() / 2).mean()

    def step(pair: list[torch.Tensor]) -> torch.Tensor:
        sgd.zero_grad()
        value = loss(pair)
        value.backward()
        sgd.step()
        return value

    batches = [[torch.tensor([n]), torch.tensor([c], dtype=torch.float64)] for n, c in enumerate(curvatures)]
    return Training(step=step, batches=batches, state={"model": weight, "optimizer": sgd}, loss=loss)


def test_the_figures_are_those_of_closed_forms() -> None:
    """At w = 1: gHg sums to 1 + 8 + 27, gg to 1 + 4 + 9; the mean Hessian's largest eigenvalue is a third of 3."""
    from spikecheck.watch.measured import CurvatureLooker

    training = quadratic([1.0, 2.0, 3.0])
    looker = CurvatureLooker(training, training.epoch(10), replace(EVERYTHING, batches=8), 5, 0)
    looker.begin()
    arrays = looker.arrays()
    assert arrays["batch_sharpness"] == pytest.approx([36 / 14])
    assert arrays["sharpness"] == pytest.approx([1.0])
    assert arrays["lr"] == pytest.approx([0.1])


def test_batches_are_joined_where_the_loss_stays_the_same() -> None:
    training = quadratic([1.0, 2.0, 3.0])
    assert len(parts_of(training, training.epoch(10)).batches) == 1
    with_dropout = order().begin()
    assert len(parts_of(with_dropout, with_dropout.epoch(4)).batches) == 4


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


def test_a_rate_is_multiplied_and_a_scheduler_goes_on_from_it() -> None:
    resnet = MeasuredOrder(Workload.of("resnet", {"steps": 20}), 0, 20, None, "cpu", rate=0.5)
    slow, usual = resnet.begin(), replace(resnet, rate=1.0).begin()
    slow.run(2)
    usual.run(2)
    assert slow.optimizer.param_groups[0]["lr"] == pytest.approx(0.5 * usual.optimizer.param_groups[0]["lr"])
