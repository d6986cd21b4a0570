"""Rows of several kinds in one log, such as of training and validation, under one name."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from spikecheck.watch.numbers import is_number

_KIND_NAMES = ("split", "phase", "mode", "stage", "subset", "set", "kind", "type")
_MOST = 6
"""Kinds; a column with more texts says something else."""

Row = Mapping[str, Any]


def by_kind(rows: Sequence[Row], shared: Collection[str]) -> Sequence[Row]:
    """The rows, where columns that rows of several kinds have are called after the kind as well: train/loss and val/loss.

    Args:
        rows: of a log.
        shared: names, in lower case, that mean the same in all kinds, such as that of the step.

    >>> by_kind([{"split": "train", "loss": 2.0}, {"split": "val", "loss": 3.0}], ())
    [{'split': 'train', 'train/loss': 2.0}, {'split': 'val', 'val/loss': 3.0}]
    """
    names = dict.fromkeys(name for row in rows for name in row)
    for column in (name for name in names if name.lower() in _KIND_NAMES):
        kinds = {row[column] for row in rows if _is_kind(row.get(column))}
        if 1 < len(kinds) <= _MOST:
            return _renamed(rows, column, shared)
    return rows


def _is_kind(cell: Any) -> bool:
    return isinstance(cell, str) and bool(cell) and not is_number(cell)


def _renamed(rows: Sequence[Row], column: str, shared: Collection[str]) -> list[Row]:
    pairs = {(name, row.get(column)) for row in rows for name, cell in row.items() if is_number(cell)}
    kinds: dict[str, int] = {}
    for name, kind in pairs:
        kinds[name] = kinds.get(name, 0) + _is_kind(kind)
    both = {name for name, count in kinds.items() if count > 1 and name.lower() not in shared}
    return [
        {
            f"{row[column]}/{name}" if name in both and _is_kind(row.get(column)) else name: cell
            for name, cell in row.items()
        }
        for row in rows
    ]
