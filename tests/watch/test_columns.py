"""Logs of any make become columns of numbers, or a message that says what to do."""

import gzip
import json
import math
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import UnknownName, UsageError
from spikecheck.core.watched import Header, Step
from spikecheck.watch.columns import LOSS_NAMES, STEP_NAMES, ReadColumns, named_column, read_columns, step_column
from spikecheck.watch.log import LogWriter

PLAIN = "step,loss,lr\n0,2.0,0.1\n1,,0.1\n2,nan,0.2\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        PLAIN.replace(",", ";").replace(".", ",").encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        PLAIN.replace("lr", "taux é,lr").replace("0,2.0", "0,2.0,x").encode("latin-1"),
        ("\n\n" + PLAIN).encode(),
        PLAIN.replace("step,loss", " step , loss ").encode(),
        PLAIN.replace("\n", "\r").encode(),
    ],
)
def test_csv_in_any_dress(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "run.csv").write_bytes(content)
    columns = read_columns(tmp_path / "run.csv")
    assert {"step", "loss", "lr"} <= set(columns)
    np.testing.assert_array_equal(columns["step"], [0, 1, 2])
    np.testing.assert_array_equal(columns["loss"], [2.0, np.nan, np.nan])


def test_columns_without_numbers_are_left_out_and_rows_may_be_short(tmp_path: Path) -> None:
    (tmp_path / "run.csv").write_text("step,note,loss\n0,warm-up,2.0\n1,,1.0\n2\n")
    columns = read_columns(tmp_path / "run.csv")
    assert set(columns) == {"step", "loss"}
    np.testing.assert_array_equal(columns["loss"], [2.0, 1.0, np.nan])


@pytest.mark.parametrize("form", ["lines", "array", "trainer"])
def test_json_in_any_dress(form: str, tmp_path: Path) -> None:
    rows = [
        {"step": 1, "loss": 2.0, "flag": True},
        {"step": 2, "loss": float("nan"), "grad_norm": 3},
        {"step": 3, "eval": "x"},
    ]
    texts = {
        "lines": "\n".join(map(json.dumps, rows)) + '\n{"step": 4, "lo',
        "array": json.dumps(rows),
        "trainer": json.dumps({"best_metric": None, "log_history": rows}),
    }
    (tmp_path / "run.json").write_text(texts[form])
    columns = read_columns(tmp_path / "run.json")
    assert set(columns) == {"step", "loss", "grad_norm"}
    np.testing.assert_array_equal(columns["grad_norm"], [np.nan, 3, np.nan])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"   \n", "is empty"),
        (b"[1, 2]", "holds no objects"),
        (b"{nonsense", "holds no objects"),
        (b"[" * 100_000, "holds no objects"),
        (b"step,loss\n1," + b"2" * 200_000, "line 2 is not CSV"),
        (b"a,b\nx,y\n", "no column of numbers was found"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "no column of numbers was found"),
    ],
)
def test_what_is_no_log_is_told(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(content)
    with pytest.raises(UsageError, match=says):
        read_columns(tmp_path / "run")


@given(st.binary(max_size=80), st.sampled_from([b"", b"step,loss\n1,2\n", b'{"step": 1, "loss": 2}\n']))
def test_any_bytes_are_columns_or_a_users_mistake(content: bytes, before: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        path.write_bytes(before + content)
        with suppress(UsageError):
            assert len({len(column) for column in read_columns(path).values()}) == 1


def test_events_without_tensorboard_name_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorboard", None)
    (tmp_path / "events.out.tfevents.1").write_bytes(b"")
    with pytest.raises(UsageError, match="pip install tensorboard"):
        read_columns(tmp_path)


def test_a_folder_without_events_is_called_so_before_a_package_is_asked_for(tmp_path: Path) -> None:
    """Regression: for any folder the remedy was to install tensorboard."""
    with pytest.raises(UsageError, match=f"^{tmp_path}: no TensorBoard scalars were found; give the folder that holds"):
        read_columns(tmp_path)


def test_a_header_without_rows_is_called_so(tmp_path: Path) -> None:
    """Regression: "no column of numbers was found; give JSON lines, CSV or a folder of events"."""
    (tmp_path / "log.csv").write_text("step,loss\n")
    with pytest.raises(UsageError, match="log.csv: has a header and no rows; give a log with a loss in every row"):
        read_columns(tmp_path / "log.csv")


def test_columns_are_found_by_usual_names_or_by_the_one_given() -> None:
    columns = dict.fromkeys(("Train/Loss", "_step", "my_loss"), np.zeros(1))
    assert named_column(columns, None, LOSS_NAMES, "--loss") == "Train/Loss"
    assert named_column(columns, None, STEP_NAMES, "--step") == "_step"
    assert named_column(columns, "my_loss", LOSS_NAMES, "--loss") == "my_loss"
    with pytest.raises(UsageError, match="no column is called 'myloss'; did you mean: my_loss"):
        named_column(columns, "myloss", LOSS_NAMES, "--loss")
    with pytest.raises(UsageError, match="give its name with --loss, such as: my_loss"):
        named_column({"my_loss": np.zeros(1), "x": np.zeros(1)}, None, LOSS_NAMES, "--loss")
    with pytest.raises(UsageError, match="give its name with --loss, one of: x, y"):
        named_column({"x": np.zeros(1), "y": np.zeros(1)}, None, LOSS_NAMES, "--loss")


@pytest.mark.parametrize("members", [1, 2])
def test_a_compressed_log_is_read_as_far_as_it_goes(members: int, tmp_path: Path) -> None:
    lines = ["step,loss\n", *(f"{step},{step / 2}\n" for step in range(1_000))]
    half = len(lines) // members
    whole = b"".join(gzip.compress("".join(lines[at * half : (at + 1) * half]).encode()) for at in range(members))
    file = tmp_path / "run.csv.gz"
    file.write_bytes(whole)
    assert len(read_columns(file)["loss"]) >= 999
    file.write_bytes(whole[:-20])
    assert len(read_columns(file)["loss"]) > 500
    file.write_bytes(whole[:12] + b"\xff" * 400)
    with pytest.raises(UsageError, match="is compressed and damaged"):
        read_columns(file)


@pytest.mark.parametrize("text", ["step,loss\n0,1.0\n1,\n2,2.0\n3,NaN\n4,nan\n5,\n", None])
def test_losses_that_end_as_nan_are_infinite(text: str | None, tmp_path: Path) -> None:
    """Regression: a loss that became NaN was left out, and the log was said to have no spike."""
    file = tmp_path / "run.log"
    rows = [{"step": 0, "loss": 1.0}, {"step": 1}, {"step": 2, "loss": 2.0}, *({"loss": math.nan},) * 2, {"step": 5}]
    file.write_text(text or "\n".join(json.dumps(row) for row in rows))
    columns = read_columns(file, diverged=True)
    np.testing.assert_array_equal(columns["loss"], [1.0, np.nan, 2.0, np.inf, np.inf, np.nan])


def test_nan_between_losses_stands_for_no_loss(tmp_path: Path) -> None:
    file = tmp_path / "run.csv"
    file.write_text("step,loss\n0,1.0\n1,nan\n2,2.0\n3,nan\n")
    np.testing.assert_array_equal(read_columns(file, diverged=True)["loss"], [1.0, np.nan, 2.0, np.nan])


def test_objects_within_objects_are_columns(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text('{"step": 0, "train": {"loss": 2.0}}\n{"step": 1, "train": {"loss": 1.0, "lr": null}}\n')
    assert read_columns(file)["train/loss"].tolist() == [2.0, 1.0]


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Regression: the last of them counted, whatever it was."""
    file = tmp_path / "run.csv"
    file.write_text("step,loss, loss,,\n0,2.0,7.0,,\n")
    with pytest.raises(UsageError, match="has two columns called loss; rename one of them"):
        read_columns(file)


def test_the_step_is_found_or_there_is_none() -> None:
    columns = {"Global_Step": np.zeros(3), "loss": np.zeros(3)}
    assert step_column(columns, None) == "Global_Step"
    assert step_column({"loss": np.zeros(3)}, None) is None
    with pytest.raises(UnknownName, match="no column is called 'n'"):
        step_column(columns, "n")


def test_a_watchs_log_is_read_compressed_too(tmp_path: Path) -> None:
    """Regression: it was opened once more as it lay, and refused as no log of a watch."""
    header = Header(model="Net", optimizer="SGD", parameters=3, every=10, started="2026-01-01T00:00:00+00:00")
    writer = LogWriter(tmp_path / "log.jsonl", header)
    for step in range(3):
        writer.write(Step(step=step, loss=2.0 - step))
    writer.close()
    (tmp_path / "log.jsonl.gz").write_bytes(gzip.compress((tmp_path / "log.jsonl").read_bytes()))
    assert read_columns(tmp_path / "log.jsonl.gz")["loss"].tolist() == [2.0, 1.0, 0.0]


def test_lines_of_another_kind_before_json_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text('Starting the run\n{"step": 0, "loss": 2.0}\n{"step": 1, "loss": 1.0}\n')
    assert read_columns(file)["loss"].tolist() == [2.0, 1.0]


def test_an_object_of_columns_is_read(tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    file.write_text('{"loss": [2.0, 1.0], "val_loss": [3.0, 2.0], "name": "run"}')
    assert read_columns(file)["loss"].tolist() == [2.0, 1.0]


def test_a_column_of_texts_is_named_with_one_of_them(tmp_path: Path) -> None:
    file = tmp_path / "run.csv"
    file.write_text("step,loss\n0,2.5%\n1,2.4%\n")
    with pytest.raises(UsageError, match="column loss: holds no number, such as '2.5%'; name another with --loss"):
        named_column(read_columns(file), None, LOSS_NAMES, "--loss")


def test_a_compressed_log_that_is_cut_off_is_said_to_be(tmp_path: Path) -> None:
    """Regression: the page said nothing of it, and half a number at its end was a loss."""
    random = np.random.default_rng(0).standard_normal(1_000)
    whole = gzip.compress(("step,loss\n" + "".join(f"{n},{10 + loss:.9f}\n" for n, loss in enumerate(random))).encode())
    file = tmp_path / "run.csv.gz"
    for length in range(len(whole) - 60, len(whole) - 20):
        file.write_bytes(whole[:length])
        columns = read_columns(file)
        assert isinstance(columns, ReadColumns) and columns["loss"].min() > 5.0
        assert columns.remarks == ["The compressed file is cut off before its end: what is missing there was not read."]
    file.write_bytes(whole)
    columns = read_columns(file)
    assert isinstance(columns, ReadColumns) and columns.remarks == []


@pytest.mark.parametrize("line", ["INFO step {} loss {} lr 0.001", "{{'step': {}, 'loss': {}, 'lr': 0.001}}"])
def test_lines_of_names_and_numbers_are_read(line: str, tmp_path: Path) -> None:
    """Regression: the first of them was taken for the line of names, and the columns were called 0 and 2.5038."""
    lines = [line.format(row, row / 2) for row in range(400)]
    (tmp_path / "run.log").write_text("\n".join(["Training begins", *lines]))
    columns = read_columns(tmp_path / "run.log")
    assert isinstance(columns, ReadColumns) and set(columns) == {"step", "loss", "lr"}
    np.testing.assert_array_equal(columns["loss"], np.arange(400) / 2)
    assert columns.remarks == ["Lines with step, loss, lr are read; lines of other forms are not: 1."]


def test_a_line_of_data_in_place_of_names_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text("INFO 0 2.5038 0.001\nINFO 1 2.4920 0.001\n".replace(" ", ","))
    with pytest.raises(
        UsageError, match="the first line has numbers in place of names, such as 0; add a line of names"
    ):
        named_column(read_columns(tmp_path / "run.log"), None, LOSS_NAMES, "--loss")
