"""The rows of a log keep their order, whatever its steps are."""

from pathlib import Path

import numpy as np
import pytest

from spikecheck.core.errors import UsageError
from spikecheck.watch.columns import read_columns, step_column
from spikecheck.watch.step_numbers import numbered_rows

ROWS = np.arange(1_200.0)
LOSSES = 2.0 + ROWS % 7 / 100
AGAIN = "The column batch begins again in every epoch: steps are counted on from one epoch to the next."


def epochs_of(length: int, first: int = 0, every: int = 1) -> dict[str, np.ndarray]:
    at = ROWS * every
    return {"epoch": at // length, "batch": at % length + first, "loss": LOSSES}


@pytest.mark.parametrize(("length", "first", "every"), [(200, 0, 1), (200, 1, 1), (170, 0, 1), (1_000, 0, 50)])
def test_steps_that_begin_again_in_every_epoch_are_counted_on(length: int, first: int, every: int) -> None:
    """Regression: the last epoch alone was read, and "no loss spike" said of the whole log."""
    rows = numbered_rows(epochs_of(length, first, every), "loss", "batch")
    np.testing.assert_array_equal(rows.numbers, ROWS * every + first)
    assert rows.counts.all() and rows.remarks == (AGAIN,)


@pytest.mark.parametrize("step", [None, "batch"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_they_are_in_logs_of_every_form(step: str | None, form: str, tmp_path: Path) -> None:
    line = {"csv": "{},{},{}", "jsonl": '{{"epoch": {}, "batch": {}, "loss": {}}}'}[form]
    lines = [line.format(n // 200, n % 200, 2.0 + n % 7) for n in range(1_200)]
    file = tmp_path / f"run.{form}"
    file.write_text("\n".join(["epoch,batch,loss"] * (form == "csv") + lines))
    columns = read_columns(file)
    rows = numbered_rows(columns, "loss", step_column(columns, step))
    assert rows.counts.all() and rows.remarks == (AGAIN,)
    np.testing.assert_array_equal(rows.numbers, ROWS)


def test_an_epoch_in_fractions_counts_steps_on_too() -> None:
    columns = epochs_of(200) | {"epoch": (ROWS + 1) / 200}
    np.testing.assert_array_equal(numbered_rows(columns, "loss", "batch").numbers, ROWS)


def test_a_single_batch_an_epoch_is_counted_on() -> None:
    columns = {"epoch": ROWS, "batch": np.zeros(1_200), "loss": LOSSES}
    np.testing.assert_array_equal(numbered_rows(columns, "loss", "batch").numbers, ROWS)


def test_rows_of_an_epoch_that_was_made_again_replace_the_first() -> None:
    columns = {name: np.append(column[:700], column[400:]) for name, column in epochs_of(200).items()}
    rows = numbered_rows(columns, "loss", "batch")
    assert np.flatnonzero(~rows.counts).tolist() == list(range(400, 700))
    assert rows.remarks[0].startswith("300 rows are left out: the log goes back") and rows.remarks[1] == AGAIN


RESUMED = np.append(ROWS[:700], ROWS[600:1_100])


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"epoch": RESUMED // 200},
        {"epoch": RESUMED / 200},
        {"epoch": RESUMED // 1_000},  # it stays where the training was resumed
        {"epoch": 1_790_000_000 + 7 * ROWS},  # the time of day, which rises with every row
    ],
)
def test_a_training_that_was_resumed_counts_from_there(others: dict[str, np.ndarray]) -> None:
    rows = numbered_rows({"step": RESUMED, "loss": LOSSES, **others}, "loss", "step")
    assert np.flatnonzero(~rows.counts).tolist() == list(range(600, 700))
    assert len(rows.remarks) == 1 and rows.remarks[0].startswith("100 rows are left out")


@pytest.mark.parametrize("first", [1_700_000_000_000_000_000, 10**17, 10**25, np.inf])
def test_steps_beyond_every_float_are_numbers_of_rows(first: float) -> None:
    """Regression: no row was left, and "no loss spike in 0 losses" was the answer."""
    rows = numbered_rows({"step": np.array([first + n for n in range(1_200)], float), "loss": LOSSES}, "loss", "step")
    np.testing.assert_array_equal(rows.numbers, ROWS)
    assert rows.counts.all() and rows.step is None
    assert rows.remarks == (
        f"Steps of the column step, such as {first:.3g}, are too large to be told apart: rows are numbered from 0.",
    )


def test_losses_without_any_step_are_numbered() -> None:
    steps = np.where(ROWS % 100 == 0, ROWS, np.nan)
    losses = np.where(ROWS % 100 == 0, np.nan, LOSSES)
    rows = numbered_rows({"step": steps, "loss": losses}, "loss", "step")
    assert rows.counts.sum() == 1_188 and rows.numbers[5] == 5
    assert rows.remarks == ("No row with a loss has a step in the column step: rows are numbered from 0.",)


def test_rows_without_a_step_of_their_own_are_told() -> None:
    steps = ROWS.copy()
    steps[7], steps[8:10] = np.nan, 1e25
    rows = numbered_rows({"step": steps, "loss": LOSSES}, "loss", "step")
    assert np.flatnonzero(~rows.counts).tolist() == [7, 8, 9]
    assert rows.remarks == (
        "1 row is left out: a loss is there, and no step.",
        "2 rows are left out: step is too large, such as 1e+25.",
    )


def test_steps_with_fractions_are_refused() -> None:
    with pytest.raises(UsageError, match="--step step: has fractions, such as 0.5; name a column of whole numbers"):
        numbered_rows({"step": ROWS / 2, "loss": LOSSES}, "loss", "step")
