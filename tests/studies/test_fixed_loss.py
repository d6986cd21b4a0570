"""What single steps do to the loss on a fixed set: against closed forms, and without a trace in the training."""

from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import torch

from spikecheck.watch.merging import Parts
from spikecheck.watch.runs import Order
from spikecheck.watch.training import Training
from spikecheck.watch.workload import Workload
from studies.fixed_loss import FixedLooker, FixedStep, fixed_parts
from studies.spontaneous import KINDS

POINTS = torch.tensor([[1.0, 0.5], [0.0, 2.0], [1.5, -1.0]])
TARGETS = torch.tensor([[1.0], [-1.0], [0.5]])
OPTIMIZERS: dict[str, Any] = {
    "descent": partial(torch.optim.SGD, lr=0.3),
    "adam": partial(torch.optim.Adam, lr=0.05, betas=(0.9, 0.99)),
}


def linear(optimizer: str = "descent") -> Training:
    """Least squares of three points, one a step."""
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1, bias=False)
    made = OPTIMIZERS[optimizer](model.parameters())

    def loss_of(pair: Any) -> torch.Tensor:
        return (model(pair[0]) - pair[1]).square().mean()

    def step(pair: Any) -> torch.Tensor:
        made.zero_grad()
        loss = loss_of(pair)
        loss.backward()
        made.step()
        return loss

    batches = [(POINTS[[place]], TARGETS[[place]]) for place in range(3)]
    return Training(step=step, batches=batches, state={"model": model, "optimizer": made}, loss=loss_of)


def weight(training: Training) -> torch.Tensor:
    """Its only parameter, of shape [1, 2]."""
    return next(training.model.parameters())


ALL = Parts([(POINTS.double(), TARGETS.double())], [3.0])


def measured(training: Training, steps: int, parts: Parts = ALL) -> list[FixedStep]:
    looker = FixedLooker(training, parts)
    training.run(steps, observe=looker)
    return looker.steps


def test_least_squares_in_closed_form() -> None:
    training = linear()
    before = weight(training).detach().double()[0]
    (known,) = measured(training, 1)
    update = weight(training).detach().double()[0] - before
    x, y = POINTS.double(), TARGETS.double()[:, 0]
    gradient, hessian = 2 * x.T @ (x @ before - y) / 3, 2 * x.T @ x / 3
    assert known.loss == pytest.approx(float((x @ before - y).square().mean()))
    assert known.after == pytest.approx(float((x @ (before + update) - y).square().mean()))
    assert known.slope == pytest.approx(float(gradient @ update))
    assert known.bend == pytest.approx(float(update @ hessian @ update))
    assert known.half_slope == pytest.approx(known.slope)
    assert known.change == pytest.approx(known.slope + known.bend / 2)
    assert known.rate == 0.3
    along = float(gradient @ hessian @ gradient / (gradient @ gradient))
    assert known.gradient_curvature == pytest.approx(along / (2 / 0.3))
    own = 2 * x[0] * (x[0] @ before - y[0])
    assert known.own_square == pytest.approx(float(own @ own))
    assert known.own_bend == pytest.approx(float(2 * (x[0] @ own) ** 2))


def test_under_adam_gradients_are_divided_by_the_root_of_the_second_moment() -> None:
    training = linear("adam")
    training.run(4)
    before = weight(training).detach().double()[0]
    (known,) = measured(training, 1)
    state = training.optimizer.state[weight(training)]
    root = (state["exp_avg_sq"][0].double() / (1 - 0.99**5)).sqrt() + 1e-8
    x, y = POINTS.double(), TARGETS.double()[:, 0]
    own = 2 * x[1] * (x[1] @ before - y[1]) / root.sqrt()
    assert known.own_square == pytest.approx(float(own @ own), rel=1e-5)
    assert known.own_bend == pytest.approx(float(2 * (x[1] / root.sqrt() @ own) ** 2), rel=1e-5)
    gradient, hessian = 2 * x.T @ (x @ before - y) / 3, 2 * x.T @ x / 3
    direction = gradient / root
    along = float(direction @ hessian @ direction / (gradient @ direction))
    assert known.gradient_curvature == pytest.approx(along / (2 * 1.9 / (0.1 * 0.05)), rel=1e-5)


def test_batches_count_by_their_size() -> None:
    pieces = Parts([(POINTS[:1].double(), TARGETS[:1].double()), (POINTS[1:].double(), TARGETS[1:].double())], [1, 2])
    one, other = measured(linear(), 3), measured(linear(), 3, pieces)
    for known, again in zip(one, other, strict=True):
        assert again.model_dump() == pytest.approx(known.model_dump())


def test_each_step_begins_where_the_last_ended() -> None:
    known = measured(linear("adam"), 7)
    assert [one.step for one in known] == list(range(7))
    for before, after in pairwise(known):
        assert before.after == after.loss


@pytest.mark.parametrize("kind", ["mlp, mnist1d", "modular, slingshot", "gpt, rate of 1"])
def test_workloads_train_as_if_they_were_not_measured(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.fixed_loss.MOST", 2)
    order = KINDS[kind].order(5)
    plain = order.begin().run(8)
    training = order.begin()
    first = training.run(4)
    looker = FixedLooker(training, fixed_parts(order))
    assert [*first, *training.run(4, observe=looker)] == plain
    assert [one.step for one in looker.steps] == [4, 5, 6, 7]
    assert all(parameter.dtype == torch.float32 for parameter in training.model.parameters())


@pytest.mark.parametrize(
    ("order", "points"),
    [
        (KINDS["mlp, mnist1d"].order(0), 4_000),
        (KINDS["modular, slingshot"].order(0), 264),
        (KINDS["gpt, rate of 1"].order(0), 32 * 16),
        (Order(Workload.of("mlp"), 0, 10), 32 * 32),
    ],
)
def test_the_fixed_set_is_all_points_up_to_32_batches(order: Order, points: int) -> None:
    parts = fixed_parts(order)
    assert sum(len(batch[0]) for batch in parts.batches) == sum(parts.weights) == points
    assert all(batch[0].dtype in (torch.float64, torch.int64) for batch in parts.batches)
