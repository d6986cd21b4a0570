"""Memory that an optimizer keeps in a whole training."""

from collections.abc import Callable
from functools import partial

import pytest
import torch

from spikecheck.gate.workload_cost import memory
from spikecheck.watch.training import Training
from spikecheck.watch.workload import MakeOptimizer, OptimizerChoice, Workload

Write = Callable[[str], str]
LEAKS = """
import torch

class Leaks(torch.optim.SGD):
    '''Plain SGD that keeps every gradient.'''
    def step(self, closure=None):
        self.kept = getattr(self, "kept", [])
        self.kept += [p.grad.clone() for group in self.param_groups for p in group["params"]]
        return super().step(closure)
"""


@pytest.mark.parametrize(("optimizer", "numbers"), [("gd", 0.0), ("heavy-ball", 1.0), ("adam", 2.0), ("Leaks", 20.0)])
def test_memory_beyond_plain_sgd(write: Write, optimizer: str, numbers: float) -> None:
    """Adam keeps two numbers a parameter, besides one a tensor for its steps."""
    path = f"{write(LEAKS)}:Leaks" if optimizer == "Leaks" else optimizer
    make = partial(Workload.of("mlp").make, seed=0, device="cpu")
    held = memory(make, OptimizerChoice.of(path, {"lr": 0.001}).make())
    assert held == pytest.approx(numbers, abs=2e-3)


def test_memory_of_a_training_without_a_module_is_not_known() -> None:
    def make(optimizer: MakeOptimizer) -> Training:
        weight = torch.ones(2, requires_grad=True)
        return Training(step=lambda x: 1.0, batches=[0], state={"optimizer": optimizer([weight])})

    assert memory(make, OptimizerChoice.of("adam", {"lr": 0.001}).make()) is None
