"""The overshoot of a training's last tenth: the right figure, and no bit of the training is changed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from spikecheck.lab.store import Store
from spikecheck.watch.late_looks import LateLooks
from spikecheck.watch.replay import first_difference
from spikecheck.watch.runs import Order, train
from spikecheck.watch.training import Training
from spikecheck.watch.workload import OptimizerChoice, Workload

STEPS = 40


class Watched(Training):
    """The training of another, watched late where it is run."""

    def __init__(self, training: Training, looks: int) -> None:
        self.__dict__ = training.__dict__
        self.looks = LateLooks(training, STEPS, looks)

    def run(self, steps: int, observe: object = None) -> list[float]:
        losses = self.looks.run(steps)
        self.looks.close()
        return losses


@pytest.mark.parametrize(
    ("name", "options"), [("gpt", {"dropout": 0.2}), ("resnet", {"batch": 4}), ("mlp", {"dropout": 0.5})]
)
def test_no_bit_of_a_training_changes(name: str, options: dict[str, float]) -> None:
    """Losses and the whole state after them, with dropout, BatchNorm and clipping; and nothing is left on the model."""
    looks = iter((4, 0))
    trainings: list[Watched] = []

    def make() -> Watched:
        trainings.append(Watched(Workload.of(name, options).make(None, 5, "cpu"), next(looks)))
        return trainings[-1]

    assert first_difference(make, STEPS) is None
    assert len(trainings[0].looks.overshoots) == 4
    assert not trainings[1].looks.overshoots
    assert not trainings[0].optimizer._optimizer_step_post_hooks


def quadratic(rate: float, curvature: float, *, with_loss: bool = True) -> Training:
    """Gradient descent on curvature/2 w²."""
    model = torch.nn.Linear(1, 1, bias=False).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)

    def loss_of(x: torch.Tensor) -> torch.Tensor:
        return curvature / 2 * model(x).square().mean()

    def step(x: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad()
        loss = loss_of(x)
        loss.backward()
        optimizer.step()
        return loss

    state = {"model": model, "optimizer": optimizer}
    ones = [torch.ones(1, 1, dtype=torch.float64)]
    return Training(step=step, batches=ones, state=state, loss=loss_of if with_loss else None)


@pytest.mark.parametrize("curvature", [0.5, 3.0, 12.0])
def test_it_is_half_of_rate_times_curvature(curvature: float) -> None:
    looks = LateLooks(quadratic(0.1, curvature), STEPS, 2)
    looks.run(STEPS)
    looks.close()
    assert looks.overshoots == pytest.approx([0.05 * curvature] * 2)


def test_a_training_that_does_not_say_its_loss_has_none() -> None:
    looks, plain = LateLooks(quadratic(0.1, 3.0, with_loss=False), STEPS, 2), quadratic(0.1, 3.0)
    torch.nn.init.ones_(looks._training.model.weight)  # type: ignore[arg-type]
    torch.nn.init.ones_(plain.model.weight)  # type: ignore[arg-type]
    assert looks.run(STEPS) == plain.run(STEPS)
    looks.close()
    assert not looks.overshoots


def test_stored_runs_keep_it_and_runs_that_were_stopped_go_on(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    order = Order(Workload.of("mlp", {"dropout": 0.5}), 3, 200, OptimizerChoice.of("adam", {"lr": 0.001}), looks=5)

    def stop(steps: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(order, store, stop)
    run, again = train(order, store), train(order, store)
    assert run.resumed_at > 0 and again.reused
    assert len(run.overshoots) == 5
    assert np.array_equal(run.overshoots, again.overshoots)
    assert np.array_equal(run.losses, train(Order(order.workload, 3, 200, order.optimizer), None).losses)
