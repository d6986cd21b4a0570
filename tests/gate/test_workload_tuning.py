"""`spikecheck gate --workload … --tune`: each side at its own best rate, and the rows around it."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.scorecard import Change, Scorecard
from spikecheck.gate.rates import RateRange
from spikecheck.gate.workload_suite import SENSITIVITY, STABLE, workload_suite
from spikecheck.gate.workload_tuning import sensitivity, stable_rungs
from spikecheck.watch.runs import Order, WorkloadRun
from spikecheck.watch.workload import Workload
from tests.gate.test_workload_run import OWN, run

Write = Callable[[str], str]
TUNE = ("--tune", "lr=1e-3..1e1", "--at", "steps=40", "--json", "card.json")
ROWS = ("--rows", f"diverged,final loss,best loss,{SENSITIVITY},{STABLE}")


@pytest.fixture
def own(write: Write) -> str:
    return write(OWN)


def card() -> Scorecard:
    return Scorecard.model_validate(json.loads(Path("card.json").read_text()))


def test_a_tenth_of_the_rate_is_no_fault_at_ten_times_the_rate(own: str) -> None:
    """Both are the same optimizer, each at its best: the same losses, sensitivity and range. At one rate it is worse."""
    sides = ("--workload", f"{own}:workload", "--optimizer", f"{own}:Late", "--against", "gd")
    code, out, err = run(*sides, *TUNE, *ROWS, "--markdown", "card.md", "--junit", "card.xml", "--html", "card.html")
    assert code == 0, out + err
    found = card()
    assert found.candidate.lr == pytest.approx(10 * found.reference.lr, rel=1e-3)
    assert found.tuned["candidate"].best == found.candidate.lr
    assert len(found.tuned["reference"].rates) == 13
    assert {row.name: row.change for row in found.rows}["final loss"] is Change.SAME
    assert {row.name for row in found.rows} >= {SENSITIVITY, STABLE}
    assert not any(row.change is Change.WORSE for row in found.rows)
    assert "Best rates, found on 3 seeds of their own" in out.replace("\n", " ")
    for name in ("card.md", "card.xml", "card.html"):
        assert SENSITIVITY in Path(name).read_text(encoding="utf-8")
    trained = found.runs_trained
    run(*sides, *TUNE, *ROWS)
    assert (card().runs_trained, card().runs_reused) == (0, trained)
    code, _, _ = run(*sides, "--set", "lr=0.03", "--at", "steps=40", "--rows", "final loss")
    assert code == 1


def test_a_baseline_keeps_the_range_and_the_best_rate(own: str) -> None:
    base = ("--workload", f"{own}:workload", "--baseline", "base.json")
    code, _, err = run(*base, *TUNE, *ROWS, "--optimizer", "gd", "--update-baseline", "--reason", "first")
    assert code == 0, err
    code, _, _ = run("--baseline", "base.json", "--optimizer", "torch.optim:SGD", "--json", "card.json")
    assert code == 0
    found = card()
    assert found.candidate.lr == found.reference.lr
    assert {row.change for row in found.rows} == {Change.SAME}
    code, _, err = run("--baseline", "base.json", "--optimizer", "torch.optim:SGD", "--set", "lr=0.1")
    assert (code, "the rate is given or tuned; leave out one" in err) == (2, True)
    code, _, err = run(*base, "--optimizer", "gd", "--tune", "lr=1e-2..1e1")
    assert (code, "its settings or measures have changed" in err) == (4, True)


def test_a_plan_says_how_many_trainings_it_takes(own: str) -> None:
    code, out, _ = run("--workload", f"{own}:workload", "--optimizer", "gd", "--against", "gd", *TUNE[:2], "--plan")
    said = " ".join(out.split())
    assert code == 0
    assert (
        "lr=0.001..10: up to 127 trainings a side: 39 to find its best rate (13 rates on 3 seeds of their own), 8 there"
        in said
    )
    assert not Path("store").exists()


def test_a_best_rate_at_an_end_is_said_and_what_was_trained_is_kept(own: str) -> None:
    sides = ("--workload", f"{own}:workload", "--optimizer", "gd", "--against", "gd")
    code, _, err = run(*sides, "--tune", "lr=1e-4..1e-3", "--at", "steps=40")
    assert code == 2
    assert "the best rate of the candidate, 0.001, is an end of the range" in err
    assert "give --tune lr=0.0001..0.01 (what is in the store is not trained again)" in err


def test_the_range_of_pyproject_holds_unless_a_rate_is_given(own: str) -> None:
    Path("pyproject.toml").write_text(
        f'[tool.spikecheck]\nworkload = "{own}:workload"\noptimizer = "gd"\nagainst = "gd"\ntune = "lr=1e-3..1e1"\n'
    )
    assert "39 to find its best rate" in " ".join(run("--plan")[1].split())
    assert "best rate" not in run("--plan", "--set", "lr=0.1")[1]


@pytest.mark.parametrize(("arguments", "message"), [
    (("--workload", "mlp", "--set", "lr=0.1"), "--set lr=0.1: the rate is given or tuned; leave out one"),
    (("--workload", "mlp", "--against-set", "lr=0.1"), "--against-set lr=0.1: the rate is given or tuned; leave out one"),
    (("--workload", "mlp", "--at", "tune=1"), "--at tune=…: is no condition; use --tune"),
    ((), "only trainings of --workload are tuned; add --workload gpt or one of your own, or give the rate with --set"),
])  # fmt: skip
@pytest.mark.usefixtures("write")
def test_what_clashes_is_said_in_one_line(arguments: tuple[str, ...], message: str) -> None:
    code, _, err = run("--optimizer", "gd", "--against", "gd", "--tune", "lr=1e-4..1e-1", *arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


@pytest.mark.usefixtures("write")
def test_rows_around_a_best_rate_need_one() -> None:
    code, _, err = run("--workload", "mlp", "--optimizer", "gd", "--set", "lr=0.1", "--against", "gd", "--rows", STABLE)
    assert (code, "add --tune lr=1e-4..1e-1" in err) == (2, True)


def test_rates_are_found_on_seeds_that_nothing_is_compared_on() -> None:
    suite = workload_suite({"workload": "mlp", "tune": "lr=1e-4..1e-1"}, 16, 0, (STABLE,))
    assert suite.tune == RateRange(1e-4, 1e-1)
    assert len(set(suite.tuning_seeds())) == 3
    assert not set(suite.tuning_seeds()) & set(suite.own_seeds())


# ---- the figures ------------------------------------------------------------------------------------------------------------


def ending(log_loss: float) -> WorkloadRun:
    """A training that begins at a loss of 1 and ends at 10**log_loss; from 6 on it diverged."""
    losses = np.full(100, 10.0**log_loss)
    losses[0] = 1.0
    return WorkloadRun(Order(Workload("mlp"), 0, 100), losses, log_loss >= 6.0, 1.0)


@given(st.floats(0.0, 3.0))
def test_the_sensitivity_to_a_parabola(bend: float) -> None:
    """bend x² over half a decade on each side, by the trapezium rule on quarters: 3 bend / 32."""
    rungs = {rung: ending(-2.0 + bend * (rung / 4) ** 2) for rung in range(-2, 3)}
    assert sensitivity(rungs) == pytest.approx(3 * bend / 32)


def test_a_divergence_costs_no_more_than_not_having_trained() -> None:
    """As in the source: the loss at the start is the most that can be lost; here at the uppermost rate, an eighth."""
    rungs = {rung: ending(-2.0) for rung in range(-2, 2)} | {2: ending(6.0)}
    assert sensitivity(rungs) == pytest.approx(2.0 / 8)


@pytest.mark.parametrize(("ends", "stable"), [
    ((-2.0, -2.0, -1.5, -0.5, 6.0), 2), ((-2.0, 6.0, -2.0), 0), ((-2.0, -1.0, -1.0), 2), ((6.0, 6.0), 0), ((-2.0,), 0),
])  # fmt: skip
def test_stable_is_a_rate_that_keeps_half_of_the_fall(ends: tuple[float, ...], stable: int) -> None:
    assert stable_rungs({rung: ending(end) for rung, end in enumerate(ends)}) == stable
    assert math.isfinite(sensitivity({rung - 2: ending(end) for rung, end in enumerate((*ends, *[0.0] * 5)[:5])}))
