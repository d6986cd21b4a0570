"""The way of the first steps against closed forms, and through the command line."""

import math
from collections.abc import Callable

import pytest
import torch

from spikecheck.gate.workload_first_steps import STEPS, first_steps
from spikecheck.watch.training import Training
from spikecheck.watch.workload import MakeOptimizer, OptimizerChoice

from .test_workload_gate import OWN, run

SGD = OptimizerChoice.of("gd", {"lr": 0.25}).make()


def slope(optimizer: MakeOptimizer, *, seed: int, gradient: float = 1.0) -> Training:
    """Minimises gradient times weight, so that every step of gradient descent goes as far."""
    model = torch.nn.Linear(1, 1, bias=False)
    descent = optimizer(model.parameters())

    def step(_: object) -> torch.Tensor:
        descent.zero_grad()
        loss = gradient * model.weight.sum()
        loss.backward()
        descent.step()
        return loss

    return Training(step=step, batches=[seed], state={"model": model, "optimizer": descent})


def test_the_way_of_gradient_descent_on_a_slope() -> None:
    wanted = math.log2(0.25 * STEPS)
    assert first_steps(slope, SGD, (0, 1)) == pytest.approx((wanted, wanted), abs=1e-5)


@pytest.mark.parametrize(("gradient", "wanted"), [(0.0, -60.0), (math.inf, 60.0)])
def test_no_way_and_an_endless_one_are_numbers(gradient: float, wanted: float) -> None:
    def make(optimizer: MakeOptimizer, *, seed: int) -> Training:
        return slope(optimizer, seed=seed, gradient=gradient)

    assert first_steps(make, SGD, (0,)) == (wanted,)


def test_without_a_module_there_is_no_way() -> None:
    def make(optimizer: MakeOptimizer, *, seed: int) -> Training:
        weight = torch.ones(2, requires_grad=True)
        return Training(step=lambda _: 1.0, batches=[seed], state={"optimizer": optimizer([weight])})

    assert first_steps(make, SGD, (0,)) == (None,)


@pytest.mark.parametrize(("optimizer", "code"), [("Late", 1), ("Same", 0)])
def test_the_row_tells_another_rule_from_the_same_one(write: Callable[[str], str], optimizer: str, code: int) -> None:
    """Steps a tenth as long are named though smaller is better in every other row; the same rule under another name is not."""
    own = write(f"{OWN}\nclass Same(torch.optim.SGD):\n    pass\n")
    line = ("--workload", f"{own}:workload", "--against", "gd", "--set", "lr=0.01", "--at", "steps=20")
    exit_code, out, _ = run(*line, "--optimizer", f"{own}:{optimizer}", "--rows", "first steps")
    assert exit_code == code, out
    assert ("first steps" in out.splitlines()[0]) is bool(code)


def test_the_row_is_looked_at_only_where_it_is_named(write: Callable[[str], str]) -> None:
    own = write(OWN)
    line = ("--workload", f"{own}:workload", "--against", "gd", "--set", "lr=0.01", "--at", "steps=20")
    _, out, _ = run(*line, "--optimizer", f"{own}:Late")
    assert "final loss" in out and "first steps" not in out


def test_a_baseline_keeps_the_row(write: Callable[[str], str]) -> None:
    own = write(OWN)
    line = ("--workload", f"{own}:workload", "--set", "lr=0.01", "--at", "steps=20", "--baseline", "b.json")
    rows = ("--rows", "first steps")
    assert run(*line, *rows, "--optimizer", "gd", "--update-baseline", "--reason", "first")[0] == 0
    assert run(*line, *rows, "--optimizer", f"{own}:Late")[0] == 1
    assert run(*line, *rows, "--optimizer", "gd")[0] == 0
