"""The way of the first steps against closed forms, and through the command line: by default it describes."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from spikecheck.gate.workload_first_steps import STEPS, FirstSteps, FirstStepsOrder, log_distance, way
from spikecheck.lab.store import Store
from spikecheck.watch.runs import Order, train
from spikecheck.watch.training import Step
from spikecheck.watch.workload import OptimizerChoice, Workload

from .test_workload_run import OWN, run

Write = Callable[[str], str]
SLOPE = """
import torch
import spikecheck

def workload(make_optimizer, seed, device, gradient=1.0, kind="module"):
    '''Minimises gradient times weight, so that every step of gradient descent goes as far.'''
    model = torch.nn.LazyLinear(1, bias=False) if kind == "lazy" else torch.nn.Linear(1, 1, bias=False)
    if kind == "lazy":
        model(torch.ones(1, 1))
        model.other = torch.nn.LazyLinear(1)
    descent = make_optimizer([model.weight])
    def step(_):
        descent.zero_grad()
        loss = float(gradient) * model.weight.sum()
        loss.backward()
        descent.step()
        return loss
    return spikecheck.Training(
        step=step, batches=[seed], state={"optimizer": descent} if kind == "none" else {"model": model, "optimizer": descent}
    )
"""


def slope(write: Write, steps: int = 2 * STEPS, **options: float | str) -> FirstStepsOrder:
    workload = Workload.of(f"{write(SLOPE)}:workload").at(options, steps)
    return FirstStepsOrder(workload, 0, steps, OptimizerChoice.of("gd", {"lr": 0.25}))


@pytest.mark.parametrize("steps", [STEPS, 3 * STEPS])
def test_the_way_of_gradient_descent_on_a_slope(write: Write, steps: int) -> None:
    assert way(train(slope(write, steps), None)) == pytest.approx(math.log2(0.25 * STEPS), abs=1e-5)


@pytest.mark.parametrize(("gradient", "wanted"), [(0.0, -60.0), (math.inf, 60.0)])
def test_no_way_and_an_endless_one_are_numbers(write: Write, gradient: float, wanted: float) -> None:
    assert way(train(slope(write, gradient=gradient), None)) == wanted


@pytest.mark.parametrize("kind", ["none", "lazy"])
def test_without_parameters_to_follow_there_is_no_way(write: Write, kind: str) -> None:
    """No module, or one that takes its shape from the first batch; both are trained all the same."""
    trained = train(slope(write, kind=kind), None)
    assert (way(trained), len(trained.losses)) == (None, 2 * STEPS)


def test_a_training_that_ends_before_has_no_way(write: Write) -> None:
    assert way(train(slope(write, STEPS - 1), None)) is None


def test_no_bit_of_the_training_changes(write: Write) -> None:
    measured = slope(write)
    plain = Order(measured.workload, measured.seed, measured.steps, measured.optimizer)
    assert np.array_equal(train(measured, None).losses, train(plain, None).losses)


class _Stop(Exception):
    pass


@pytest.mark.parametrize("stopped", [1, STEPS + 1])
def test_a_killed_training_goes_on_with_the_same_way(write: Write, tmp_path: Path, stopped: int) -> None:
    """Whether it was stopped while the way was measured or behind it."""
    order, store = slope(write, 5 * STEPS), Store(tmp_path / "store")

    def stop(steps: int) -> None:
        if steps >= stopped:
            raise _Stop

    with pytest.raises(_Stop):
        train(order, store, stop)
    resumed = train(order, store)
    assert resumed.resumed_at > 0
    assert way(resumed) == way(train(order, None))
    assert way(train(order, store)) == way(resumed)  # read from the store


def test_the_copy_is_dropped_when_the_way_is_known() -> None:
    looker = FirstSteps([torch.zeros(2)], 1)
    looker.begin()
    before = looker.over
    looker(Step(0, None, 0.0, {}))
    assert (before, looker.over, looker.state()["before"]) == (False, True, [])


def test_the_distance_is_euclids_over_all_tensors() -> None:
    now, before = [torch.tensor([3.0]), torch.tensor([[4.0]])], [torch.zeros(1), torch.zeros(1, 1)]
    assert log_distance(now, before) == pytest.approx(math.log2(5.0))


# ---- through the command line -----------------------------------------------------------------------------------------------


def line(own: str, *more: str) -> tuple[str, ...]:
    return ("--workload", f"{own}:workload", "--against", "gd", "--set", "lr=0.01", "--at", "steps=20", *more)


@pytest.fixture
def own(write: Write) -> str:
    quick = OWN[OWN.index("class Late") :].replace("Late", "Quick").replace("mul_(0.1)", "mul_(3.0)")
    return write(f"{OWN}\n{quick}\nclass Same(torch.optim.SGD):\n    pass\n")


@pytest.mark.parametrize(("optimizer", "code"), [("Late", 1), ("Same", 0)])
def test_the_row_tells_another_rule_from_the_same_one(own: str, optimizer: str, code: int) -> None:
    """Steps a tenth as long are named though smaller is better in every other row; the same rule under another name is not."""
    exit_code, out, _ = run(*line(own), "--optimizer", f"{own}:{optimizer}", "--rows", "first steps")
    assert exit_code == code, out
    assert ("first steps" in out.splitlines()[0]) is bool(code)


@pytest.mark.parametrize(
    ("optimizer", "word"), [("Quick", "differ: the update rule or its rate is another"), ("Same", "are the same")]
)
def test_by_default_the_row_describes(own: str, optimizer: str, word: str) -> None:
    """Steps three times as long train faster: the gate passes, and says that the rule is another one."""
    rows = "diverged,final loss,best loss"
    code, out, _ = run(*line(own), "--optimizer", f"{own}:{optimizer}", "--json", "card.json")
    said = out.splitlines()[0]
    assert code in {0, 3}, out  # time on a busy machine may look worse
    (row,) = [row for row in json.loads(Path("card.json").read_text())["rows"] if row["name"] == "first steps"]
    assert (row["alarms"], row["change"]) == (False, "worse" if optimizer == "Quick" else "same")
    if code == 0:
        assert said.startswith("no regression") and f"first steps {word}" in said
    _, out, _ = run(*line(own), "--optimizer", f"{own}:{optimizer}", "--rows", rows)
    assert "Whether both follow the same update rule was not measured" in out


def test_a_baseline_keeps_the_row(own: str) -> None:
    """Rows that were named when it was written need not be repeated, and are as strict as then."""
    base = ("--workload", f"{own}:workload", "--set", "lr=0.01", "--at", "steps=20", "--baseline", "b.json")
    rows = ("--rows", "first steps")
    assert run(*base, *rows, "--optimizer", "gd", "--update-baseline", "--reason", "first")[0] == 0
    for more in (rows, ()):
        assert run(*base, *more, "--optimizer", f"{own}:Late")[0] == 1
        assert run(*base, *more, "--optimizer", "gd")[0] == 0
