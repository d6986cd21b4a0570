"""Reads columns of numbers from a training's log: CSV, JSON lines, a Trainer's state, TensorBoard events, or Watch's log."""

import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from spikecheck.core.errors import UnknownName, UsageError
from spikecheck.core.watched import SCHEMA
from spikecheck.watch.csv_rows import csv_rows
from spikecheck.watch.key_values import key_value_rows
from spikecheck.watch.kinds import by_kind
from spikecheck.watch.log import WatchLog
from spikecheck.watch.numbers import is_number, number

Columns = Mapping[str, np.ndarray]
"""Arrays [rows] by column name; NaN where a row has no number."""

LOSS_NAMES = ("loss", "train_loss", "train/loss", "training_loss", "loss/train", "train loss", "spikecheck/loss")
_GZIP, _GZIP_BITS = b"\x1f\x8b", 31
_SHOWN = 30
"""Letters of a cell that are quoted."""
_LARGEST = 2**30
"""Bytes that a compressed log may restore to: a small file could fill any memory."""
STEP_NAMES = ("step", "global_step", "_step", "train/global_step", "iteration", "iter", "steps", "update", "batch")


def read_columns(path: Path, *, diverged: bool = False) -> Columns:
    """Read the columns of a log; the format is recognised from the content.

    Args:
        path: the log.
        diverged: whether a column is infinite where its last numbers are written as NaN. Elsewhere NaN stands for no number,
            as in logs that have several kinds of rows.

    Raises:
        UsageError: the file cannot be read, or has no column of numbers.
    """
    if _is_events(path):
        return _events(path)
    remarks: list[str] = []
    rows = by_kind(_rows(_text(path, remarks), path, remarks), (*STEP_NAMES, "epoch"))
    if not rows:
        raise UsageError(f"{path}: has a header and no rows; give a log with a loss in every row")
    columns = _columns(rows, diverged=diverged)
    if not columns:
        raise UsageError(
            f"{path}: no column of numbers was found; give JSON lines, CSV or a folder of events, with a loss in every row"
        )
    columns.remarks = remarks
    return columns


def step_column(columns: Columns, wanted: str | None) -> str | None:
    """The name of the column with the step: the wanted one, or the first usual name; None where there is no such column.

    Raises:
        UsageError: the wanted column does not exist.
    """
    usual = {name.lower().strip() for name in columns}.intersection(STEP_NAMES)
    return named_column(columns, wanted, STEP_NAMES, "--step") if wanted is not None or usual else None


def named_column(columns: Columns, wanted: str | None, usual: Sequence[str], option: str) -> str:
    """The name of a column: the wanted one, or else the first usual name that exists.

    Args:
        columns: the log's columns.
        wanted: the name that the user gave; None to try the usual names.
        usual: names to try, in lower case.
        option: the command-line option that gives the name; the error message quotes it.

    Raises:
        UsageError: no such column; the message lists near matches.
    """
    if wanted is not None:
        if wanted not in columns:
            raise UnknownName("column", wanted, columns)
        return wanted
    by_lower = {name.lower().strip(): name for name in columns}
    for name in usual:
        if name in by_lower:
            return by_lower[name]
    what = option.removeprefix("--")
    texts = columns.texts if isinstance(columns, ReadColumns) else {}
    for name, cells in texts.items():
        if name.lower().strip() in usual and cells:
            raise UsageError(
                f"column {name}: holds no number, such as {cells[0][:_SHOWN]!r}; name another with {option}"
            )
    if sum(map(is_number, columns)) > len(columns) / 2:
        raise UsageError(
            f"no column is called {what}: the first line has numbers in place of names, such as {next(iter(columns))}; add a "
            "line of names before it, such as step,loss"
        )
    near = [name for name in columns if what in name.lower()]
    listed = ", ".join(near or columns)
    raise UsageError(
        f"no column is called {what}; give its name with {option}, {'such as' if near else 'one of'}: {listed}"
    )


def _text(path: Path, remarks: list[str]) -> str:
    """The file's text; of a compressed file that was cut off, the whole lines, and a remark."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    content, is_cut_off = _unpacked(content, path)
    text = _decoded(content)
    if not is_cut_off:
        return text
    remarks.append("The compressed file is cut off before its end: what is missing there was not read.")
    return text[: max(map(text.rfind, "\r\n")) + 1] or text


def _decoded(content: bytes) -> str:
    """Text from UTF-16 with a byte-order mark, UTF-8, or else Latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _unpacked(content: bytes, path: Path) -> tuple[bytes, bool]:
    """The content of a file that gzip compressed, and whether that was cut off. Other files as they are.

    Raises:
        UsageError: the compressed bytes are damaged, or restore to more than `_LARGEST` bytes.
    """
    if not content.startswith(_GZIP):
        return content, False
    whole, ends = b"", True
    while content.startswith(_GZIP):
        member = zlib.decompressobj(wbits=_GZIP_BITS)
        try:
            whole += member.decompress(content, _LARGEST + 1 - len(whole))
        except zlib.error as error:
            raise UsageError(f"{path}: is compressed and damaged: {error}; give the log as it was written") from error
        if len(whole) > _LARGEST:
            raise UsageError(f"{path}: restores to more than {_LARGEST // 2**20} MiB; give a part of the log")
        content, ends = member.unused_data, member.eof
    return whole, not ends


def _rows(text: str, path: Path, remarks: list[str]) -> Sequence[Mapping[str, Any]]:
    if not text.strip():
        raise UsageError(f"{path}: is empty")
    if not _is_json(text):
        return _key_values(text, remarks) or list(csv_rows(text, path))
    if SCHEMA in text.split("\n", 1)[0]:
        return list(_watched(text, path))
    rows = _json(text) or _key_values(text, remarks)
    if not rows:
        raise UsageError(f"{path}: holds no objects with names and numbers; give JSON lines, CSV or a folder of events")
    return rows


def _key_values(text: str, remarks: list[str]) -> Sequence[Mapping[str, Any]]:
    """Rows from lines of names and numbers. Lines of other forms are counted."""
    rows = key_value_rows(text)
    others = sum(bool(line.strip()) for line in text.splitlines()) - len(rows)
    if rows and others:
        remarks.append(f"Lines with {', '.join(rows[0])} are read; lines of other forms are not: {others:,}.")
    return rows


def _is_json(text: str) -> bool:
    """Whether it begins like JSON, or has lines of it after some of another kind."""
    lines = [line.lstrip()[:1] for line in text.splitlines() if line.strip()]
    return lines[0] in "{[" or lines.count("{") > len(lines) / 2


def _json(text: str) -> Sequence[Mapping[str, Any]]:
    """Rows from JSON lines, from an array of objects, or from the `log_history` of a Trainer's state; else none."""
    try:
        whole: Any = json.loads(text)
    except (ValueError, RecursionError):
        whole = [_parsed(line) for line in text.splitlines() if line.strip()]
    if isinstance(whole, Mapping):
        whole = whole.get("log_history", _by_row(whole))
    return [_flat(row) for row in whole if isinstance(row, Mapping)] if isinstance(whole, list) else []


def _by_row(whole: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of an object that has a list of numbers for each column; another object is a row itself."""
    columns = {name: cells for name, cells in whole.items() if isinstance(cells, list)}
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) != 1:
        return [whole]
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _flat(row: Mapping[str, Any], before: str = "", depth: int = 3) -> dict[str, Any]:
    """A row whose objects within objects have names such as train/loss."""
    cells: dict[str, Any] = {}
    for name, cell in row.items():
        inner = isinstance(cell, Mapping) and depth > 0
        cells |= _flat(cell, f"{before}{name}/", depth - 1) if inner else {f"{before}{name}": cell}
    return cells


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None  # an unfinished or foreign line


def _watched(text: str, path: Path) -> Iterator[Mapping[str, Any]]:
    for step in WatchLog.of(text, path).ordered():
        look = step.look
        row: dict[str, Any] = {"step": step.step, "loss": step.not_finite if step.loss is None else step.loss}
        row |= {"lr": step.lr[0]} if step.lr else {}
        if look is not None:
            row |= {name: getattr(look, name) for name in ("overshoot", "update_norm", "gradient_norm")}
        yield row


def _columns(rows: Sequence[Mapping[str, Any]], *, diverged: bool) -> "ReadColumns":
    names = [str(name) for name in dict.fromkeys(name for row in rows for name in row)]
    whole = ReadColumns()
    for name in names:
        given = [row.get(name) for row in rows]
        numbers = list(map(number, given))
        whole.texts[name] = [
            str(cell) for cell, value in zip(given, numbers, strict=True) if _is_text(cell, value, name)
        ]
        if all(value is None for value in numbers):
            continue
        column = np.array([math.nan if value is None else value for value in numbers])
        whole[name] = _ended(column, np.array([value is not None for value in numbers])) if diverged else column
    return whole


class ReadColumns(dict[str, np.ndarray]):
    """Columns, what their cells hold where that is no number, and what is to be said of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, list[str]] = {}
        self.remarks: list[str] = []
        """Sentences on what of the file was not read."""


_MISSING = ("", "-", "--", "?", "na", "n/a", "none", "null", "nil")


def _is_text(cell: Any, value: float | None, name: str) -> bool:
    """Whether a cell that should be a number is another text: a row of names that comes again is none."""
    return value is None and isinstance(cell, str) and cell.strip().lower() not in (*_MISSING, name.lower())


def _ended(column: np.ndarray, written: np.ndarray) -> np.ndarray:
    """The column, infinite where its last numbers are `written` as NaN.

    Where NaN is written between numbers as well, it stands for no number in this log.
    """
    not_numbers, finite = np.flatnonzero(np.isnan(column) & written), np.flatnonzero(np.isfinite(column))
    if len(not_numbers) and len(finite) and not_numbers[0] > finite[-1]:
        column[not_numbers] = math.inf
    return column


def _is_events(path: Path) -> bool:
    return path.is_dir() or path.name.startswith("events.out.tfevents")


def _events(path: Path) -> dict[str, np.ndarray]:
    """Scalars of TensorBoard events, joined by step."""
    none_found = UsageError(
        f"{path}: no TensorBoard scalars were found; give the folder that holds events.out.tfevents files"
    )
    if path.is_dir() and not any(path.glob("*tfevents*")):
        raise none_found
    try:
        reader = import_module("tensorboard.backend.event_processing.event_accumulator")
    except ImportError as error:
        raise UsageError(f"{path}: reading TensorBoard events needs its package; pip install tensorboard") from error
    accumulator = reader.EventAccumulator(str(path), size_guidance={reader.SCALARS: 0})
    accumulator.Reload()
    tags = accumulator.Tags()["scalars"]
    if not tags:
        raise none_found
    series = {tag: {event.step: event.value for event in accumulator.Scalars(tag)} for tag in tags}
    steps = sorted({step for values in series.values() for step in values})
    columns = {tag: np.array([values.get(step, math.nan) for step in steps]) for tag, values in series.items()}
    return {"step": np.array(steps, dtype=float), **columns}
