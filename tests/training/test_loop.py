"""Training of an ensemble against the closed form of a linear network, whose gradient descent is geometric."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikecheck.core.setting import Setting
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.training.loop import begin, rates, train
from spikecheck.training.rule_for import rule_for

LINEAR = Setting(model="linear", points=9, interval=0.5, steps=1)
"""One weight w and no bias: the loss is mean (w x - y)^2, and every step multiplies w - w* by 1 - 2 lr mean x^2."""


def started(*lr: float, weights: tuple[float, ...] | None = None) -> tuple[Objective, Ensemble]:
    objective = build_objective([LINEAR] * len(lr))
    rule = rule_for(objective)
    start = torch.tensor(weights or [1.0] * len(lr), dtype=torch.float64)[:, None]
    return objective, begin(objective, rule, start, torch.tensor(lr, dtype=torch.float64))


def data(objective: Objective) -> tuple[Tensor, Tensor]:
    """Inputs [N] and targets [N] of the first member."""
    return objective.train.x[0, :, 0], objective.train.y[0, :, 0]


def closed_form(objective: Objective, weight: float, lr: float, steps: int) -> tuple[list[float], float]:
    """The losses before every update and after the last, and the weight at the end."""
    x, y = (part.double() for part in data(objective))
    best, bend = float((x @ y) / (x @ x)), float(x.square().mean())
    least = float((best * x - y).square().mean())
    away = [(weight - best) * (1 - 2 * lr * bend) ** step for step in range(steps + 1)]
    return [least + bend * distance**2 for distance in away], best + away[-1]


@given(
    lr=st.lists(st.floats(0.01, 0.8), min_size=1, max_size=4),
    weight=st.floats(-3.0, 3.0),
    steps=st.integers(0, 230),
)
@settings(deadline=None)
def test_losses_and_weights_are_those_of_the_closed_form(lr: list[float], weight: float, steps: int) -> None:
    objective, ensemble = started(*lr, weights=(weight,) * len(lr))
    ticks: list[int] = []
    until = torch.full((len(lr),), steps)
    trained = train(objective, rule_for(objective), ensemble, until, ticks.append)
    assert trained.loss.shape == (steps + 1, len(lr)) and trained.end.done.tolist() == [steps] * len(lr)
    for member, rate in enumerate(lr):
        losses, end = closed_form(objective, weight, rate, steps)
        assert trained.loss[:, member].tolist() == pytest.approx(losses, rel=1e-6, abs=1e-12)
        assert float(trained.end.params[member, 0]) == pytest.approx(end, rel=1e-9, abs=1e-9)
    assert 0 <= sum(ticks) <= steps * len(lr) and all(made > 0 for made in ticks)


@pytest.mark.parametrize("stride", [1, 7, 50])
def test_checkpoints_lie_at_every_multiple_of_the_stride_and_training_goes_on_from_each(stride: int) -> None:
    objective, ensemble = started(0.1, 0.3)
    until = torch.tensor([120, 120])
    whole = train(objective, rule_for(objective), ensemble, until, lambda made: None, stride)
    steps = [int(state.done[0]) for state in whole.checkpoints]
    assert steps == list(range(0, 120, stride))
    for state in whole.checkpoints[:: max(1, len(steps) // 3)]:
        rest = train(objective, rule_for(objective), state, until, lambda made: None)
        assert torch.equal(rest.end.params, whole.end.params)
        assert torch.equal(rest.loss, whole.loss[int(state.done[0]) :])


def test_a_member_that_is_done_repeats_its_loss_and_stands_still() -> None:
    objective, ensemble = started(0.1, 0.1)
    trained = train(objective, rule_for(objective), ensemble, torch.tensor([3, 8]), lambda made: None)
    losses, end = closed_form(objective, 1.0, 0.1, 3)
    assert trained.end.done.tolist() == [3, 8]
    assert float(trained.end.params[0, 0]) == pytest.approx(end)
    assert trained.loss[3:, 0].tolist() == pytest.approx([losses[-1]] * 6)


def test_a_member_that_diverges_does_not_move_the_others() -> None:
    objective, ensemble = started(0.1, 1e200)
    trained = train(objective, rule_for(objective), ensemble, torch.tensor([10, 10]), lambda made: None)
    assert trained.end.alive.tolist() == [True, False]
    losses, _ = closed_form(objective, 1.0, 0.1, 10)
    assert trained.loss[:, 0].tolist() == pytest.approx(losses)
    assert not math.isfinite(float(trained.loss[-1, 1]))


def test_a_tick_may_stop_the_training() -> None:
    def stop(made: int) -> None:
        raise KeyboardInterrupt

    objective, ensemble = started(0.1)
    with pytest.raises(KeyboardInterrupt):
        train(objective, rule_for(objective), ensemble, torch.tensor([1_000]), stop)


def test_along_a_direction_only_its_part_of_the_gradient_moves() -> None:
    objective, ensemble = started(0.1)
    across, along = (
        train(objective, rule_for(objective), ensemble, torch.tensor([5]), lambda made: None, along=direction)
        for direction in (torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64))
    )
    assert float(across.end.params[0, 0]) == 1.0
    assert float(along.end.params[0, 0]) == pytest.approx(closed_form(objective, 1.0, 0.1, 5)[1])


def test_a_state_before_the_first_update_has_made_none() -> None:
    _, ensemble = started(0.1, 0.2)
    assert ensemble.done.tolist() == [0, 0] and ensemble.alive.all()
    assert ensemble.lr.tolist() == [0.1, 0.2]
    single = build_objective([LINEAR.but(dtype="float32")])
    assert rates(single, torch.tensor([0.1], dtype=torch.float64), torch.ones(1, 1)).dtype == torch.float32
