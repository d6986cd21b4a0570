"""Replays: the first step that differs is found, also if only a hidden state or the weights differ."""

from typing import Any

import torch
from torch import Tensor, nn

from spikecheck.watch.replay import first_difference, first_unreplayed
from spikecheck.watch.training import Training


def dropout_net(**changes: Any) -> Training:
    """A net with dropout on fixed batches; parts may be replaced."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def step(x: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    state = {"model": model, "optimizer": optimizer}
    return Training(**{"step": step, "batches": list(torch.randn(5, 4, 3).unbind()), "state": state, **changes})


def test_a_training_with_dropout_replays() -> None:
    assert first_difference(dropout_net, 6) is None
    assert first_unreplayed(dropout_net(), 6) is None


def hidden() -> Training:
    """A training with a counter that is missing in its state."""
    counter = [0]

    def step(x: Tensor) -> float:
        counter[0] += 1
        return float(counter[0] // 3)

    return dropout_net(step=step)


def test_a_counter_missing_from_the_state_is_noticed() -> None:
    assert first_difference(hidden, 4) is None  # two new trainings agree
    assert first_unreplayed(hidden(), 6) == 0  # the counter is not restored: 0 0 1 1 1 2 against 2 2 2 3 3 3


def test_a_state_that_differs_at_equal_losses_is_noticed() -> None:
    model = nn.Linear(1, 1)
    moves = iter(range(100))

    def step(x: Tensor) -> float:
        with torch.no_grad():
            model.weight.fill_(next(moves))
        return 0.0

    training = Training(step=step, batches=[0], state={"model": model})
    assert first_unreplayed(training, 4) == 4


def test_a_workload_that_is_not_deterministic_is_noticed_at_its_first_such_step() -> None:
    made = iter([0.0, 1e-7])

    def make() -> Training:
        late = next(made)
        steps = iter(range(100))
        return dropout_net(step=lambda x: 1.0 + (late if next(steps) >= 2 else 0.0))

    assert first_difference(make, 5) == 2


def test_losses_that_are_no_number_replay_too() -> None:
    assert first_unreplayed(dropout_net(step=lambda x: float("nan")), 3) is None
