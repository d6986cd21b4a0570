"""Lines of names and numbers become rows; lines of another form, and tables, do not."""

import math

import pytest

from spikecheck.watch.key_values import key_value_rows

LOSSES = ("2.5", "1e-05", "nan", "-3")


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("INFO step {step} loss {loss} lr 0.001", "step"),
        ("2026-01-01 12:00:07,123 - step={step} loss={loss}", "step"),
        ("[train] Step {step:,}/9,000 | loss: {loss} | 3.2 it/s", "Step"),
        ("{{'step': {step}, 'loss': {loss}, 'learning_rate': 1e-05}}", "step"),
        ("step {step}: loss={loss}", "step"),
    ],
)
def test_lines_of_many_kinds_are_rows(line: str, step: str) -> None:
    lines = [line.format(step=900 + n, loss=LOSSES[n % 4]) for n in range(200)]
    rows = key_value_rows("\n".join(["Training begins", *lines, "val: step 7 loss 9.0"]))
    assert [int(row[step]) for row in rows] == list(range(900, 1_100))
    assert [row["loss"] for row in rows[:4]] == list(LOSSES)


def test_losses_of_training_and_validation_in_one_line_are_told_apart() -> None:
    rows = key_value_rows("step 1  train loss 2.5  val loss 3.5\nstep 20  train loss inf  val loss 4.5")
    assert [dict(row) for row in rows] == [
        {"step": "1", "train loss": "2.5", "val loss": "3.5"},
        {"step": "20", "train loss": "inf", "val loss": "4.5"},
    ]
    assert float(rows[1]["train loss"]) == math.inf


@pytest.mark.parametrize(
    "text",
    [
        "",
        "step,loss\n0,2.5\n1,2.4\n",
        "step loss\n0 2.5\n1 2.4\n",
        "# goal: loss 0.5\nstep,loss\n" + "".join(f"{n},2.5\n" for n in range(50)),
        "step,note\n0,the loss is high\n1,the loss is low\n",
        "step 1 cost 2.5\nstep 2 cost 2.4\n",
        "loss " + "a" * 200_000,
        "loss a" + " " * 200_000 + "a",
        "loss " + "1,111" * 40_000,
        "loss " + "a 1" * 40_000 + "b",
    ],
)
def test_other_texts_are_no_rows(text: str) -> None:
    assert key_value_rows(text) == []
