"""The log of a watched training: one line of JSON a step. It can be read while it grows and after a crash."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from os import SEEK_END
from pathlib import Path
from typing import Any, TextIO
from weakref import WeakSet

from spikecheck.core.errors import SpikecheckError, UsageError
from spikecheck.core.watched import SCHEMA, Header, Step

_WRITERS: "WeakSet[LogWriter]" = WeakSet()
_FIRST = 4096
"""Bytes of a file in which the schema of its header stands."""


class LogWriter:
    """Appends to a log. A resumed training appends another header."""

    def __init__(self, path: Path, header: Header) -> None:
        """Open the log for appending; missing folders are created.

        Raises:
            UsageError: the file cannot be written, or is no such log.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _check_own(path)
            torn = _is_torn(path)
            self._file: TextIO = path.open("a", encoding="utf-8", buffering=1)
            with _closed_on_error(self._file):
                self._line(("\n" if torn else "") + header.model_dump_json(by_alias=True))
        except OSError as error:
            raise UsageError(
                f"log={path}: cannot be written: {error.strerror}; give a file in a folder that can"
            ) from error
        self._path = path.resolve()
        self.shared = any(other._path == self._path for other in _WRITERS)
        """Whether another watch of this process writes to the same file."""
        _WRITERS.add(self)

    def write(self, step: Step) -> None:
        """Append a step."""
        self._line(step.model_dump_json(exclude_defaults=True))

    def close(self) -> None:
        """Close the file. Lines that a full disk refused are lost."""
        _WRITERS.discard(self)
        with suppress(OSError):
            self._file.close()

    def _line(self, text: str) -> None:
        self._file.write(text + "\n")


@contextmanager
def _closed_on_error(file: TextIO) -> Iterator[None]:
    try:
        yield
    except OSError:
        with suppress(OSError):  # closing tries to write once more
            file.close()
        raise


def _check_own(path: Path) -> None:
    """Raise UsageError where a file is there that something else wrote: lines of a log would spoil it."""
    if path.is_file():
        with path.open("rb") as file:
            first = file.read(_FIRST)
        if first.strip() and SCHEMA.encode() not in first:
            raise UsageError(f"log={path}: is there already, and is no log of spikecheck.Watch; give another name")


def _is_torn(path: Path) -> bool:
    """Whether the file ends within a line, as after a crash."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, SEEK_END)
        return file.read(1) != b"\n"


@dataclass
class WatchLog:
    """The content of a log. If a training resumed from an earlier step, later steps of the first run are dropped."""

    path: Path
    header: Header | None = None
    steps: dict[int, Step] = field(default_factory=dict)
    unreadable: int = 0
    """Lines that could not be read; an unfinished last line is not counted."""
    _read: int = 0

    @classmethod
    def open(cls, path: Path) -> "WatchLog":
        """Read a log.

        Raises:
            UsageError: the file is missing, or is not a log of spikecheck.Watch.
        """
        log = cls(path)
        log.refresh()
        return log._checked()

    @classmethod
    def of(cls, text: str, path: Path) -> "WatchLog":
        """A log from its text, as of a file that was compressed, or that can be read once only; raises as `open` does."""
        log = cls(path)
        for line in text[: text.rfind("\n") + 1].splitlines():
            log._take(line.encode())
        return log._checked()

    def refresh(self) -> bool:
        """Read lines appended since the last call; returns whether there were any.

        Raises:
            UsageError: the file cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                added = file.read()
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be read: {error.strerror}") from error
        whole = added[: added.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            self._take(line)
        return bool(whole)

    def ordered(self) -> Iterator[Step]:
        """The steps, sorted by number."""
        for number in sorted(self.steps):
            yield self.steps[number]

    def _checked(self) -> "WatchLog":
        if self.header is None:
            raise UsageError(
                f"{self.path}: is no log of spikecheck.Watch; its first line should be a header with schema {SCHEMA}"
            )
        return self

    def _take(self, line: bytes) -> None:
        try:
            content: Any = json.loads(line)
            if "schema" in content:
                self.header = Header(**content)
                return
            step = Step(**content)
        except (ValueError, TypeError, RecursionError, SpikecheckError):
            self.unreadable += 1
        else:
            self._forget_from(step.step)
            self.steps[step.step] = step

    def _forget_from(self, number: int) -> None:
        """Drop steps from `number` on if the training returned to it: it was resumed from an earlier checkpoint."""
        if number in self.steps:
            self.steps = {at: step for at, step in self.steps.items() if at < number}
