"""What a step of an optimizer costs: its time, and the memory that it keeps wherever it keeps it."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from spikecheck.gate.cost import BLOCKS, memory, time_ratios
from spikecheck.gate.suite import contestant


def test_an_optimizer_that_steps_only_in_train_mode_is_timed_in_it() -> None:
    """Regression: schedule-free optimizers raised while the gate measured what a step costs."""
    assert len(time_ratios(contestant("planted_optimizers:Strict", {"lr": 0.1}))) == BLOCKS


def test_what_an_optimizer_keeps_anywhere_is_counted() -> None:
    """Regression: only the state_dict was, so a leak of memory went unseen. Adam has two numbers a parameter."""
    assert memory(contestant("torch.optim:SGD", {"lr": 0.1})) == 0.0
    assert memory(contestant("torch.optim:SGD", {"lr": 0.1, "momentum": 0.9})) == pytest.approx(1.0)
    assert memory(contestant("adam", {"lr": 0.1})) == pytest.approx(2.0, abs=0.01)
    assert memory(contestant("planted_optimizers:Leaks", {"lr": 0.1})) == pytest.approx(60.0)


def test_tensors_without_data_take_no_memory() -> None:
    """Regression: torch's compiler keeps some in the process that traced a kernel, and a gate ended as an internal error."""
    with FakeTensorMode():
        kept = torch.ones(1_000)
    assert memory(contestant("torch.optim:SGD", {"lr": 0.1})) == 0.0
    del kept
