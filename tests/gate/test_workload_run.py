"""`spikecheck gate --workload`: a user's own training with two optimizers, from the command line to the files."""

import io
import json
import math
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.cli.gate_fixture import FixtureGate
from spikecheck.cli.main import main
from spikecheck.core.events import ClaimStarted, Event, TileAdvanced, WorkDone
from spikecheck.core.scorecard import Change, Decision, Scorecard
from spikecheck.core.work import MEASURING, STARTING, TIMING, TRAINING, total
from spikecheck.gate.metrics import MEMORY, TIME
from spikecheck.gate.suite import contestant
from spikecheck.gate.workload_figures import best_loss, figures, final_loss, reached
from spikecheck.gate.workload_run import WorkloadGate
from spikecheck.gate.workload_suite import workload_suite
from spikecheck.gate.workload_trainer import Trainer
from spikecheck.watch.runs import Order, WorkloadRun
from spikecheck.watch.workload import Workload

Write = Callable[[str], str]
STEPS = 100
OWN = """
import torch
import spikecheck

def workload(make_optimizer, seed, device, noise=0.3, steps=100):
    model = torch.nn.Linear(8, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1) if make_optimizer is None else make_optimizer(model.parameters())
    x = torch.randn(40, 8)
    points = torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True) + noise * torch.randn(40, 1))
    def loss_of(batch):
        return (model(batch[0]) - batch[1]).square().mean()
    def step(batch):
        optimizer.zero_grad()
        loss = loss_of(batch)
        loss.backward()
        optimizer.step()
        return loss
    return spikecheck.Training(
        step=step, batches=torch.utils.data.DataLoader(points, batch_size=8, shuffle=True),
        state={"model": model, "optimizer": optimizer}, loss=loss_of,
    )

class Still(torch.optim.SGD):
    '''Never moves.'''
    def step(self, closure=None):
        pass

class Raises(torch.optim.SGD):
    def step(self, closure=None):
        raise ValueError("no step")

class Leaves(torch.optim.SGD):
    def step(self, closure=None):
        raise SystemExit(0)

class Late(torch.optim.SGD):
    '''Plain SGD at a tenth of its rate.'''
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.grad.mul_(0.1)
        return super().step(closure)
"""


@pytest.fixture
def own(write: Write) -> str:
    return write(OWN)


def run(*arguments: str) -> tuple[int, str, str]:
    """The command in this process: exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    line = ["spikecheck", "gate", "--executor", "local", "--store", "store", "--seeds", "8", *arguments]
    with pytest.MonkeyPatch.context() as here, redirect_stdout(out), redirect_stderr(err):
        here.setattr(sys, "argv", line)
        for name in ("CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
            here.delenv(name, raising=False)
        here.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as left:
            main()
    return int(str(left.value.code or 0)), out.getvalue(), err.getvalue()


def gate(own: str, *arguments: str) -> tuple[int, Scorecard, str]:
    code, out, err = run(
        "--workload", f"{own}:workload", "--at", f"steps={STEPS}", "--json", "card.json", "--rows",
        "diverged,final loss,best loss,steps to the reference's loss", *arguments,
    )  # fmt: skip
    return code, Scorecard.model_validate(json.loads(Path("card.json").read_text())), out + err


def changes(card: Scorecard) -> dict[str, Change]:
    return {row.name: row.change for row in card.rows}


SGD = ("--against", "torch.optim:SGD", "--against-set", "lr=0.1")


def test_an_optimizer_under_another_name_is_the_same(own: str) -> None:
    """The negative control: every row is shown to be the same, and the runs are trained once a name."""
    code, card, _ = gate(own, "--optimizer", "gd", "--set", "lr=0.1", *SGD)
    assert code == 0
    assert card.decision is Decision.PASSED
    assert set(changes(card).values()) == {Change.SAME}
    assert (card.runs_trained, card.runs_reused) == (16, 0)
    _, again, _ = gate(own, "--optimizer", "gd", "--set", "lr=0.1", *SGD)
    assert (again.runs_trained, again.runs_reused) == (0, 16)
    assert again.rows == card.rows


def test_a_slow_optimizer_is_worse_and_by_how_much(own: str) -> None:
    """A tenth of the rate takes ten times the steps, which is more than there are."""
    code, card, said = gate(own, "--optimizer", f"{own}:Late", "--set", "lr=0.1", *SGD, "--html", "card.html")
    assert code == 1
    assert card.decision is Decision.REGRESSED
    found = changes(card)
    assert found["final loss"] is found["steps to the reference's loss"] is Change.WORSE
    assert "REGRESSION: worse in" in said
    assert card.curves["candidate"][f"{own}:workload"].steps[-1] == STEPS - 1
    assert "<svg" in Path("card.html").read_text(encoding="utf-8")


def test_a_quick_optimizer_is_better(own: str) -> None:
    code, card, _ = gate(own, "--optimizer", "gd", "--set", "lr=0.1", "--against", f"{own}:Late")
    assert code == 0
    assert changes(card)["steps to the reference's loss"] is Change.BETTER


def test_an_optimizer_that_diverges_is_named(own: str) -> None:
    code, card, _ = gate(own, "--optimizer", "gd", "--set", "lr=1e30", *SGD, "--at", "steps=200")
    assert code == 1
    assert changes(card)["diverged"] is Change.WORSE
    assert next(row for row in card.rows if row.name == "diverged").candidate == 1.0


def test_a_step_is_timed_whole(own: str) -> None:
    line = ("--workload", f"{own}:workload", "--optimizer", "gd", "--set", "lr=0.1", *SGD, "--at", "steps=20")
    code, out, _ = run(*line, "--rows", "time a step")
    assert code in {0, 3}
    assert "time a step" in out


def test_against_a_baseline(own: str) -> None:
    """Written once, met by the same optimizer, missed by a slower one, refused where the workload's options differ."""
    base = ("--workload", f"{own}:workload", "--at", f"steps={STEPS}", "--baseline", "base.json", "--rows",
            "diverged,final loss,best loss,steps to the reference's loss")  # fmt: skip
    code, _, err = run(*base, "--optimizer", "gd", "--set", "lr=0.1", "--update-baseline", "--reason", "first")
    assert (code, "written: base.json" in err) == (0, True)
    assert run("--baseline", "base.json", "--optimizer", "torch.optim:SGD", "--set", "lr=0.1")[0] == 0
    assert run("--baseline", "base.json", "--optimizer", f"{own}:Late", "--set", "lr=0.1")[0] == 1
    code, _, err = run("--baseline", "base.json", "--optimizer", "gd", "--set", "lr=0.1", "--at", "noise=0.5")
    assert (code, "its settings or measures have changed since" in err) == (4, True)


def test_a_plan_trains_nothing(own: str) -> None:
    code, out, _ = run("--workload", f"{own}:workload", "--optimizer", "gd", "--set", "lr=0.1", *SGD, "--plan")
    assert (code, "its own" in out) == (0, True)
    assert not Path("store").exists()


def test_the_options_of_pyproject_hold(own: str) -> None:
    Path("pyproject.toml").write_text(
        f'[tool.spikecheck]\nworkload = "{own}:workload"\noptimizer = "gd"\nset = {{lr = 0.1}}\nagainst = "gd"\n'
        "conditions = {steps = 20}\nrows = 'final loss,best loss'\n"
    )
    code, out, _ = run()
    assert code in {0, 3}
    assert f"8 trainings each: {own}:workload" in out


def test_all_of_a_gate_is_foretold_kind_by_kind(own: str) -> None:
    """Regression: the start of workers and the measurement of memory were not, and 26 seconds were shown for 82."""
    told: list[Event] = []
    rows = ("final loss", TIME[0], MEMORY[0])
    suite = workload_suite({"workload": f"{own}:workload", "steps": STEPS}, 2, 0, rows)
    trainer = Trainer(suite.workload, STEPS, None, "cpu", 1, None, told.append)
    sides = contestant("torch.optim:Adam", {"lr": 0.01}), contestant("torch.optim:SGD", {"lr": 0.1})
    WorkloadGate(sides[0], suite, trainer, "spikecheck gate", {}, told.append).against(sides[1])
    foretold = total(*(work.certain for event in told if isinstance(event, ClaimStarted) for _, work in event.expected))
    done = total(*({event.kind: event.seconds} for event in told if isinstance(event, TileAdvanced | WorkDone)))
    assert done == pytest.approx(foretold, rel=0.3)  # blocks of steps are whole numbers of steps
    assert done.keys() == {STARTING, TRAINING, TIMING, MEASURING}


def test_a_budget_that_is_over_keeps_what_was_trained(own: str) -> None:
    code, _, err = run(
        "--workload",
        f"{own}:workload",
        "--optimizer",
        "gd",
        "--set",
        "lr=0.1",
        *SGD,
        "--at",
        "steps=1000000",
        "--budget",
        "10s",  # processes that start on a busy machine take some seconds
    )
    assert (code, "--budget: the time is used up" in err) == (3, True)
    assert list(Path("store/checkpoints").iterdir())


@pytest.mark.parametrize(("arguments", "message"), [
    (("--workload", "gtp"), "no workload is called 'gtp'; did you mean: gpt"),
    (("--workload", "mlp", "--model", "m:f"), "--workload mlp, --model m:f: a workload has its own; leave out one"),
    (("--workload", "mlp", "--at", "steps=5"), "steps=5: give 20 or more"),
    (("--workload", "mlp", "--at", "colour=3"), "no option of the workload mlp is called 'colour'"),
    (("--workload", "mlp", "--at", "size=big"), "no size of a workload is called 'big'"),
    (("--workload", "mlp", "--rows", "late edge"), "no row of the gate of a workload is called 'late edge'"),
    (("--workload", "mlp", "--executor", "dask://h:1"), "workloads are trained on this machine; use local or processes"),
    (("--workload", "mlp", "--against", "torch.optim:Addam"), "is called 'Addam'; did you mean: Adam"),
])  # fmt: skip
@pytest.mark.usefixtures("write")
def test_what_cannot_be_used_is_said_in_one_line(arguments: tuple[str, ...], message: str) -> None:
    code, _, err = run("--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", *arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("optimizer", "message"), [
    ("Still", "moves no parameter in 20 steps of the workload"),
    ("Raises", "step 0 raised ValueError: no step; run it by itself to see"),
    ("Leaves", "step 0 raised SystemExit: 0; run it by itself to see"),
])  # fmt: skip
@pytest.mark.parametrize("side", ["--optimizer", "--against"])
def test_what_an_optimizer_does_wrong_is_said_of_either_side(own: str, side: str, optimizer: str, message: str) -> None:
    """Regression: what never moved passed against itself, what raised was an internal error, sys.exit(0) was exit code 0."""
    other = "--against" if side == "--optimizer" else "--optimizer"
    line = (
        side,
        f"{own}:{optimizer}",
        other,
        "gd",
        "--set",
        "lr=0.1",
        "--workload",
        f"{own}:workload",
        "--at",
        "steps=20",
    )
    code, _, err = run(*line, "--rows", "final loss,diverged")
    assert (code, message in err) == (2, True)


# ---- the figures ------------------------------------------------------------------------------------------------------------


def made(losses: Any, steps: int, diverged: bool = False) -> WorkloadRun:
    return WorkloadRun(Order(Workload("mlp"), 0, steps), np.array(losses, dtype=float), diverged, 1.0)


def test_figures_of_a_curve_that_is_known() -> None:
    """1/(1 + t) over 100 steps: medians of five steps, the last at t = 97, and as low as at t = 47 after 50 steps."""
    run = made(1 / (1 + np.arange(100)), 100)
    assert final_loss(run) == pytest.approx(math.log10(1 / 98))
    assert best_loss(run) == pytest.approx(math.log10(1 / 98))
    assert reached(run, math.log10(1 / 48)) == pytest.approx(math.log2(50))
    assert reached(run, final_loss(run)) == pytest.approx(math.log2(100))
    assert reached(run, -5.0) == pytest.approx(math.log2(200))
    assert reached(run, None) is None


def test_figures_of_a_training_that_diverged() -> None:
    run = made([1.0, 2.0], 100, diverged=True)
    assert final_loss(run) == best_loss(run) == 6.0
    assert reached(run, -1.0) == pytest.approx(math.log2(200))
    assert reached(run, 6.0) is None


@given(st.lists(st.floats(1e-6, 9e5), min_size=20, max_size=60))
def test_a_training_reaches_its_own_final_loss_by_its_end(losses: list[float]) -> None:
    run = made(losses, len(losses))
    steps = reached(run, final_loss(run))
    assert steps is not None
    assert steps <= math.log2(len(losses)) + 1e-9
    assert best_loss(run) <= final_loss(run)


def test_spikes_and_the_steps_they_cost() -> None:
    """Noise with ten steps ten spreads above it, in a training that diverged after 600 of 1,000 steps."""
    losses = np.random.default_rng(0).normal(2.0, 0.1, 600)
    losses[500:510] += 1.0
    found = figures(made(losses, 1_000, diverged=True), None)
    assert found["spikes"] == pytest.approx(1_000 / 600)
    assert found["steps lost"] == pytest.approx((10 + 400) / 1_000)
    calm = figures(made(np.delete(losses, slice(500, 510)), 590), None)
    assert (calm["spikes"], calm["steps lost"]) == (0.0, 0.0)


def test_a_loss_that_never_comes_back_is_lost_to_the_end() -> None:
    losses = np.random.default_rng(0).normal(2.0, 0.1, 600)
    losses[400:] += 1.0
    assert figures(made(losses, 600), None)["steps lost"] == pytest.approx(200 / 600, abs=0.005)


def test_a_loss_that_was_no_number_for_a_step_is_no_small_one() -> None:
    run = made([2.0, np.nan, *[1.0] * 18], 20)
    assert best_loss(run) == final_loss(run) == 0.0
    assert final_loss(made([*[1.0] * 19, np.nan], 20)) == 6.0


def test_tokens_and_samples_where_the_workload_counts_them() -> None:
    run = replace(made(1 / (1 + np.arange(100)), 100), about={"tokens a step": 512, "samples a step": "many"})
    found = figures(run, math.log10(1 / 48))
    assert found["tokens to the reference's loss"] == pytest.approx(math.log2(50 * 512))
    assert found["samples to the reference's loss"] is None
    assert figures(run, None)["tokens to the reference's loss"] is None


def test_the_overshoot_is_the_median_of_what_was_resolved() -> None:
    run = replace(made([1.0] * 20, 20), overshoots=np.array([0.1, 0.3, 0.9]))
    assert figures(run, None)["overshoot late"] == 0.3
    assert figures(made([1.0] * 20, 20), None)["overshoot late"] is None


@pytest.mark.usefixtures("one_core")
def test_the_seeds_of_the_caller_are_left_alone(own: str) -> None:
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    conditions = {"workload": f"{own}:workload", "steps": 20}
    card = FixtureGate("gd", {"lr": 0.1}, against="gd", conditions=conditions, seeds=4, seed=0).held("store")
    assert card.passed or card.decision is Decision.NOT_DECIDED
    assert torch.equal(torch.rand(1), wanted)
