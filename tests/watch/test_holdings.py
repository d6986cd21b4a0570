"""The state of a training's parts is copied and put back to the bit."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spikecheck.watch.replay import first_unreplayed
from spikecheck.watch.training import Training
from tests.watch.trainings import simple


def test_buffers_gradients_and_modes_come_back() -> None:
    training = simple()
    training.run(3)
    before = training.snapshot()
    kept = [p.grad.clone() for p in training.model.parameters() if p.grad is not None]
    losses = training.run(4)
    training.model.eval()
    training.model.zero_grad()
    training.restore(before)
    assert training.model.training
    assert all(
        torch.equal(p.grad, g) for p, g in zip(training.model.parameters(), kept, strict=True) if p.grad is not None
    )
    assert training.run(4) == losses


def test_a_snapshot_does_not_change_when_training_goes_on() -> None:
    training = simple()
    training.run(2)
    before = training.snapshot()
    first = training.run(3)
    for _ in range(2):
        training.restore(before)
        assert training.run(3) == first


def test_a_restored_start_has_no_momentum() -> None:
    training = simple()
    start = training.snapshot()
    first = training.run(3)
    training.restore(start)
    assert not training.optimizer.state
    assert training.run(3) == first


def test_moments_keep_a_type_of_their_own() -> None:
    """torch's load_state_dict would cast a float32 moment to its parameter's bfloat16."""
    weight = nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
    sgd = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    sgd.state[weight]["momentum_buffer"] = torch.full((4,), 1 / 3)
    training = simple(state={"optimizer": sgd, "model": nn.ParameterList([weight])})
    training.restore(training.snapshot())
    assert torch.equal(sgd.state[weight]["momentum_buffer"], torch.full((4,), 1 / 3))


@pytest.mark.parametrize("generator", [torch.Generator().manual_seed(1), np.random.default_rng(1)])
def test_generators_of_ones_own_are_part_of_the_state(generator: Any) -> None:
    def step(batch: Tensor) -> float:
        return float(
            generator.random() if isinstance(generator, np.random.Generator) else torch.rand(1, generator=generator)
        )

    training = Training(step=step, batches=[torch.ones(1)], state={"model": nn.Linear(1, 1), "noise": generator})
    assert first_unreplayed(training, 5) is None


def test_global_generators_are_part_of_the_state() -> None:
    import random

    def step(batch: Tensor) -> float:
        return random.random() + float(np.random.rand()) + float(torch.rand(1))  # noqa: NPY002

    training = Training(step=step, batches=[0], state={"model": nn.Linear(1, 1)})
    assert first_unreplayed(training, 5) is None


def test_layers_thaw_again_and_their_groups_come_again() -> None:
    """Regression: gone back to before they thawed, they stayed thawed, and the optimizer refused its own state."""
    model: Any = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    model[0].requires_grad_(False)
    adam = torch.optim.Adam(model[1].parameters(), lr=0.01)
    steps = torch.nn.Module()
    steps.register_buffer("made", torch.zeros(()))

    def step(x: Tensor) -> Tensor:
        steps.get_buffer("made").add_(1)
        if steps.made == 3:
            model[0].requires_grad_(True)
            adam.add_param_group({"params": list(model[0].parameters()), "lr": 0.1})
        adam.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        adam.step()
        return loss

    state = {"model": model, "optimizer": adam, "steps": steps}
    training = Training(step=step, batches=[torch.ones(2, 3)], state=state)
    assert first_unreplayed(training, 6) is None
    assert len(adam.param_groups) == 2
