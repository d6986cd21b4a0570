"""A baseline keeps the rows that it was written with, and later gates read them from it; through the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from spikecheck.core.scorecard import Baseline
from spikecheck.gate.baseline import _digest
from spikecheck.gate.workload_suite import ROWS_WITHOUT_FIRST_STEPS, workload_suite
from spikecheck.report import json_file
from tests.gate.test_workload_run import OWN, run

Write = Callable[[str], str]
READ = ("--baseline", "b.json", "--optimizer", "gd", "--set", "lr=0.01")


@pytest.fixture
def own(write: Write) -> str:
    return write(OWN)


def written(own: str, *more: str) -> Baseline:
    """A baseline of plain gradient descent, in b.json."""
    where = ("--workload", f"{own}:workload", "--at", "steps=20")
    code, _, err = run(*READ, *where, "--update-baseline", "--reason", "first", *more)
    assert code == 0, err
    return json_file.read_baseline(Path("b.json"))


@pytest.mark.parametrize("rows", ["first steps", "best loss,first steps,final loss", "final loss", "time a step"])
def test_rows_that_were_named_need_not_be_repeated(own: str, rows: str) -> None:
    """Whatever their order, and with or without the final loss, which is always kept."""
    assert written(own, "--rows", rows).rows == tuple(rows.split(","))
    code, out, err = run(*READ)
    assert code in ({0} if rows != "time a step" else {0, 1, 3}), err  # a busy machine's time is not this test's matter
    assert f"rows as in b.json: {', '.join(rows.split(','))}" in err
    assert all(row in out for row in rows.split(","))
    assert "spikes" not in out.split("Smaller is better")[0]


def test_a_baseline_of_all_rows_has_them_all_again(own: str) -> None:
    assert written(own).rows == ()
    code, out, err = run(*READ)
    assert code in {0, 3}, err  # a step may take longer this time
    assert "rows as in" not in err
    assert all(row in out for row in ("final loss", "first steps", "time a step", "memory"))


def test_some_of_a_baselines_rows_are_compared_alone(own: str) -> None:
    written(own, "--rows", "best loss,first steps,final loss")
    code, out, err = run(*READ, "--rows", "best loss")
    assert (code, "best loss" in out) == (0, True), err
    assert "final loss" not in out


@pytest.mark.parametrize("row", ["best loss", "time a step"])
def test_a_row_that_a_baseline_lacks_is_refused_by_its_name(own: str, row: str) -> None:
    written(own, "--rows", "first steps")
    code, _, err = run(*READ, "--rows", row)
    assert code == 4
    assert f"b.json: has no row '{row}' (it has: final loss, first steps)" in err
    assert "--update-baseline" in err


def older(baseline: Baseline, rows: tuple[str, ...]) -> None:
    """Write the baseline as it was before baselines knew their rows, and before the first steps were described."""
    conditions = dict(baseline.conditions)
    suite = workload_suite(conditions, baseline.seeds, baseline.root).digest_with(rows)
    values = {row: numbers for row, numbers in baseline.scores.values.items() if row in rows or row == "final loss"}
    scores = baseline.scores.model_copy(update={"values": values})
    old = baseline.model_copy(update={"rows": None, "suite": suite, "scores": scores})
    text = json_file.text(old.model_copy(update={"digest": _digest(old)}))
    Path("b.json").write_text("\n".join(each for each in text.splitlines() if '"rows": null' not in each))


def test_an_older_baseline_is_read_and_what_it_lacks_is_said(own: str) -> None:
    older(written(own), ROWS_WITHOUT_FIRST_STEPS)
    code, out, err = run(*READ)
    assert code in {0, 3}, err
    assert (
        "not compared: first steps: b.json was written without it; write the baseline again with --update-baseline"
        in out
    )
    assert "final loss" in out and "= same" in next(each for each in out.splitlines() if each.startswith("final loss"))
    assert "was not measured" not in out


@pytest.mark.parametrize(("rows", "repeated"), [("first steps", False), ("first steps,final loss", True)])
def test_an_older_baseline_of_named_rows_is_read(own: str, rows: str, repeated: bool) -> None:
    """In an order of the user's own they must be repeated, as before: its digest has the order, which it does not keep."""
    older(written(own, "--rows", rows), tuple(rows.split(",")))
    code, out, err = run(*READ, *(("--rows", rows) if repeated else ()))
    assert code == 0, err
    assert "first steps" in out


def test_rows_of_an_edited_baseline_are_refused(own: str) -> None:
    written(own, "--rows", "first steps,final loss")
    text = Path("b.json").read_text()
    Path("b.json").write_text(text.replace('"first steps",\n', "", 1))
    assert text != Path("b.json").read_text()
    code, _, err = run(*READ)
    assert (code, "has been changed since it was written" in err) == (4, True)
