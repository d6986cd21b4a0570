"""Arms that project an eigendirection out of the updates, on quadratic losses, whose trainings have closed forms."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spikecheck import Training
from spikecheck.why.arms import Arm
from spikecheck.why.direction_arms import second, top
from spikecheck.why.executors import Job, forked
from spikecheck.why.fork import run_fork
from spikecheck.why.scene import Context, Scene, Usual

SCENE = Scene(start=0, onset=10, over=12, end=20, level=1.0, spread=1.0, usual=Usual())
LARGE, SMALL = 30.0, 5.0


class Bowl(nn.Module):
    """Half the sum of eigenvalue times squared coordinate."""

    def __init__(self) -> None:
        super().__init__()
        self.point = nn.Parameter(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))

    def forward(self, eigenvalues: Tensor) -> Tensor:
        return 0.5 * (eigenvalues * self.point.square()).sum()


def bowl(make_optimizer: Callable[[Any], torch.optim.Optimizer], *, loss: bool = True) -> Training:
    model = Bowl()
    optimizer = make_optimizer(model.parameters())

    def step(batch: Tensor) -> Tensor:
        optimizer.zero_grad()
        value: Tensor = model(batch)
        value.backward()
        optimizer.step()
        return value

    eigenvalues = torch.tensor([1.0, LARGE, SMALL], dtype=torch.float64)
    state = {"model": model, "optimizer": optimizer}
    return Training(step=step, batches=[eigenvalues], state=state, loss=model if loss else None)


def after(training: Training, arm: Arm, steps: int) -> list[float]:
    with arm.apply(training, Context(SCENE, 0)):
        training.run(steps)
    point: Tensor = training.state["model"].point
    return [float(value) for value in point.detach()]


@pytest.mark.parametrize(("arm", "still"), [(top(), 1), (second(), 2)])
def test_gradient_descent_stands_still_along_that_direction_alone(arm: Arm, still: int) -> None:
    """At lr = 0.1 the coordinate of eigenvalue 30 is multiplied by 1 - 3 a step, unless its direction is projected out."""
    eigenvalues, begins = (1.0, LARGE, SMALL), (1.0, 2.0, 3.0)
    expected = [begin * (1.0 - 0.1 * value) ** 4 for begin, value in zip(begins, eigenvalues, strict=True)]
    expected[still] = begins[still]
    assert after(bowl(partial(torch.optim.SGD, lr=0.1)), arm, 4) == pytest.approx(expected, rel=1e-9)


def test_momentum_does_not_move_along_that_direction_either() -> None:
    training = bowl(partial(torch.optim.SGD, lr=0.02, momentum=0.9))
    training.run(3)
    before = float(training.state["model"].point[1].detach())
    assert after(training, top(), 5)[1] == pytest.approx(before, rel=1e-9)


def test_of_adam_it_is_the_direction_of_the_preconditioned_hessian() -> None:
    """Adam divides by |gradient| = eigenvalue x |coordinate|, so the preconditioned Hessian is largest along eigenvalue 1."""
    training = bowl(partial(torch.optim.Adam, lr=0.01, betas=(0.9, 0.999)))
    moved = after(training, top(), 3)
    assert moved[0] == pytest.approx(1.0, rel=1e-9)
    assert all(abs(now - then) > 1e-3 for now, then in zip(moved[1:], (2.0, 3.0), strict=True))


def test_the_hooks_are_gone_afterwards_and_the_training_goes_on_as_it_would() -> None:
    plain, other = bowl(partial(torch.optim.SGD, lr=0.01)), bowl(partial(torch.optim.SGD, lr=0.01))
    start = other.snapshot()
    run_fork(other, start, top(), SCENE, 0)
    other.restore(start)
    assert other.run(5) == plain.run(5)
    assert not other.optimizer._optimizer_step_pre_hooks and not other.optimizer._optimizer_step_post_hooks


@pytest.mark.parametrize(
    ("training", "says"),
    [
        (bowl(partial(torch.optim.SGD, lr=0.01), loss=False), "has no loss=FUNCTION"),
        (bowl(partial(torch.optim.Adagrad, lr=0.01)), "no formula for its threshold is known"),
    ],
)
def test_where_there_is_no_such_direction_it_does_not_apply(training: Training, says: str) -> None:
    reason = forked(training, training.snapshot(), Job(top(), 0), SCENE)
    assert isinstance(reason, str) and says in reason
