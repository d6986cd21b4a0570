"""A training is the loop one would write, can be returned to, and says what is wrong with it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import spikecheck
from spikecheck.core.errors import UsageError
from spikecheck.tensors.random_state import random_state
from spikecheck.watch.replay import first_unreplayed
from spikecheck.watch.training import Step, Training
from tests.watch.trainings import simple


def test_it_is_the_plain_loop_to_the_bit() -> None:
    """Batch normalisation, dropout, a shuffled loader over three epochs: beside torch's own loop."""

    def made() -> tuple[nn.Module, torch.optim.Optimizer, Any]:
        torch.manual_seed(7)
        model = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
        points = torch.utils.data.TensorDataset(torch.randn(20, 3))
        loader = torch.utils.data.DataLoader(points, batch_size=4, shuffle=True)
        return model, torch.optim.Adam(model.parameters()), loader

    model, optimizer, loader = made()
    wanted = []
    for _ in range(3):
        for (x,) in loader:
            optimizer.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            optimizer.step()
            wanted.append(loss.item())

    model, optimizer, loader = made()

    def step(batch: list[Tensor]) -> Tensor:
        optimizer.zero_grad()
        loss: Tensor = model(batch[0]).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    training = Training(step=step, batches=loader, state={"model": model, "optimizer": optimizer})
    assert training.run(15) == wanted
    assert training.steps == 15


def test_an_observer_sees_every_step_and_where_its_dropout_began() -> None:
    training = simple()
    seen: list[Step] = []
    losses = training.run(3, seen.append)
    assert [step.number for step in seen] == [0, 1, 2]
    assert [float(torch.as_tensor(step.loss).detach()) for step in seen] == losses
    assert not torch.equal(seen[0].random["torch"], seen[1].random["torch"])


def test_an_observer_that_needs_no_random_state_gets_none() -> None:
    class Frugal(list[Step]):
        needs_random_state = False
        __call__ = list.append

    seen = Frugal()
    simple().run(2, seen)
    assert [step.random for step in seen] == [{}, {}]


def test_watching_changes_no_bit() -> None:
    assert simple().run(6, lambda step: None) == simple().run(6)


class Endless:
    """A class that iterates over itself, with a position."""

    def __init__(self) -> None:
        self.at = 0

    def __iter__(self) -> Iterator[float]:
        return self

    def __next__(self) -> float:
        self.at += 1
        return float(self.at)

    def state_dict(self) -> dict[str, int]:
        return {"at": self.at}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.at = state["at"]


@pytest.mark.parametrize("batches", [Endless, lambda: lambda: iter([1.0, 2.0, 3.0]), lambda: [1.0, 2.0]])
def test_batches_come_again(batches: Callable[[], Any]) -> None:
    training = simple(step=float, batches=batches())
    training.run(4)
    assert first_unreplayed(training, 5) is None


@pytest.mark.parametrize(("changes", "message"), [
    ({"step": 3}, r"step=3: is not callable"),
    ({"loss": 3}, r"loss=3: is not callable"),
    ({"state": {}}, r"state={}: holds nothing"),
    ({"state": {"count": 3}}, r"state\['count'\]=3: has no state_dict"),
    ({"batches": iter([1])}, r"batches=<.*iterator.*>: an iterator cannot be rewound; give a list, a DataLoader"),
    ({"batches": 3}, r"batches=3: is not iterable"),
])  # fmt: skip
def test_an_argument_that_cannot_be_used_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        simple(**changes)


@pytest.mark.parametrize(("changes", "message"), [
    ({"batches": []}, r"batches=\[\]: holds no batch"),
    ({"step": lambda x: None}, r"step=.*lambda.*: returned None; return the batch's loss"),
    ({"step": lambda x: torch.ones(2)}, r"a tensor of shape \[2\]"),
])  # fmt: skip
def test_a_step_that_cannot_be_used_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        simple(**changes).run(1)


def test_which_is_the_model_must_be_clear() -> None:
    one, two = nn.Linear(1, 1), nn.Linear(1, 1)
    assert simple(state={"net": one}).model is one
    assert simple(state={"model": one, "other": two}).model is one
    with pytest.raises(UsageError, match="which is the model"):
        _ = simple(state={"one": one, "other": two}).model
    with pytest.raises(UsageError, match="which is the optimizer"):
        _ = simple(state={"one": one}).optimizer
    with pytest.raises(UsageError, match="loss=None"):
        simple().loss(0)


def test_it_is_a_public_name() -> None:
    assert spikecheck.Training is Training


def test_a_snapshot_draws_nothing() -> None:
    training = simple()
    before = random_state()
    training.snapshot()
    assert torch.equal(before["torch"], random_state()["torch"])


class Stubborn:
    """A part of a user's own, whose state is not taken back."""

    def state_dict(self) -> dict[str, int]:
        return {"n": 1}

    def load_state_dict(self, state: dict[str, int]) -> None:
        raise RuntimeError("format 2 of 3")


def test_a_part_that_refuses_its_state_is_named_with_the_reason() -> None:
    """Regression: `diagnose` called it an internal error."""
    plain = simple()
    training = simple(state={**plain.state, "own": Stubborn()})
    with pytest.raises(
        UsageError, match=r"^state\['own'\]: cannot be put back: format 2 of 3; its load_state_dict must take"
    ):
        training.restore(training.snapshot())


def test_a_source_that_refuses_its_place_is_named() -> None:
    class Source(Stubborn):
        def __iter__(self) -> Iterator[Any]:
            return iter([torch.ones(2, 1)])

    training = simple(batches=Source())
    with pytest.raises(UsageError, match="^batches: cannot be put back: format 2 of 3; its load_state_dict must take"):
        training.restore(training.snapshot())
