"""Rows of a table in text: the separator, the line of names, and how numbers are written are told from the content."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from spikecheck.core.errors import UsageError
from spikecheck.watch.numbers import is_number

_SEPARATORS = ";\t|,"
_LINE_END = re.compile(r"\r\n|\r|\n")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_COMMA_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_POINT_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?")

Row = Mapping[str, str]


def csv_rows(text: str, path: Path) -> Iterator[Row]:
    """The rows of a table, cells by name, with numbers as Python writes them.

    Separators are commas, semicolons, tabs, bars, or white space. Lines that begin with # are comments, but for the last one
    before numbers, which has the names, as NumPy writes it.

    Raises:
        UsageError: the lines are no table, two columns have one name, or there are no names.
    """
    names, lines = _without_comments([line for line in _LINE_END.split(text) if line.strip()])
    separator = max(_SEPARATORS, key=names.count)
    if separator not in names and lines and 1 < len(names.split()) == len(lines[0].split()):
        names, lines, separator = "\t".join(names.split()), ["\t".join(line.split()) for line in lines], "\t"
    reader = csv.DictReader([names, *lines], delimiter=separator)
    try:
        _check_names(reader.fieldnames or (), path)
        rows = list(reader)
    except csv.Error as error:
        raise UsageError(f"{path}: line {reader.line_num + 1} is not CSV: {error}; mend or remove the line") from error
    whole = [_cells(row) for row in rows]
    return iter(_with_plain_numbers(whole, separator) if '"' in text or (separator != "," and "," in text) else whole)


def _without_comments(lines: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The line of names, and the others."""
    comments = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    rest = [line for line in lines[comments:] if not line.startswith("#")]
    if comments and (not rest or _are_numbers(rest[0])):
        return lines[comments - 1].lstrip("# "), rest
    return rest[0], rest[1:]


def _are_numbers(line: str) -> bool:
    return all(is_number(cell.strip().strip('"')) for cell in re.split(rf"[{_SEPARATORS}\s]+", line.strip()))


def _check_names(names: Sequence[str], path: Path) -> None:
    stripped = [name.strip() for name in names if name.strip()]
    if stripped and all(map(is_number, stripped)):
        raise UsageError(
            f"{path}: its first line has numbers and no names; add a line of names before it, such as step,loss"
        )
    twice = next((name for name in stripped if stripped.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{path}: has two columns called {twice}; rename one of them")


def _cells(row: Mapping[str | None, str | list[str] | None]) -> Row:
    return {name.strip(): cell.strip() for name, cell in row.items() if isinstance(name, str) and isinstance(cell, str)}


def _with_plain_numbers(rows: Sequence[Row], separator: str) -> list[Row]:
    """The rows with a point before decimals, and no groups of three digits."""
    cells = [cell for row in rows for cell in row.values()]
    commas = [cell for cell in cells if _DECIMAL_COMMA.fullmatch(cell)]
    sure = any(not _COMMA_GROUPS.fullmatch(cell) for cell in commas)
    likely = separator != "," and commas and not any(map(_DECIMAL_POINT.fullmatch, cells))
    plain = _of_decimal_comma if sure or likely else _of_decimal_point
    return [{name: plain(cell) for name, cell in row.items()} for row in rows]


def _of_decimal_comma(cell: str) -> str:
    if _POINT_GROUPS.fullmatch(cell):
        return cell.replace(".", "").replace(",", ".")
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def _of_decimal_point(cell: str) -> str:
    return cell.replace(",", "") if _COMMA_GROUPS.fullmatch(cell) else cell
