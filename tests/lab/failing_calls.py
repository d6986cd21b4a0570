"""A child process that dies, or meets an error, at any one of its system calls on a folder."""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Self

from spikecheck.core import whole_file
from spikecheck.core.errors import StoreError

DIES = "dies"
DIED = 9
"""Exit code of a child that died at a call."""
TOLD = 4
"""Exit code of a child whose store refused in one line."""

_CALLS = frozenset(
    {"open", "os.rename", "os.remove", "os.mkdir", "fcntl.flock", "os.utime", "os.scandir", "os.listdir"}
)


class Calls:
    """Counts this process's calls on a folder, from now on and for good, and ends it at one of them.

    Python announces its calls to audit hooks; those of a write and a flush are announced by the file itself. So it is
    for a child that exits soon.
    """

    def __init__(self, folder: Path, last: int, end: str | int) -> None:
        """`last` is the number of the call, from 1, at which the process dies (`DIES`) or meets the error of number `end`."""
        self.made = 0
        self._folder, self._last, self._end = str(folder), last, end
        created = whole_file._created
        whole_file._created = lambda *place: self._announced(*created(*place))
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: Any) -> None:
        if event in _CALLS and (event == "fcntl.flock" or self._folder in str(arguments[0])):
            self.call()

    def call(self) -> None:
        """Count a call, before it is made."""
        self.made += 1
        if self.made == self._last:
            if self._end == DIES:
                os._exit(DIED)
            raise OSError(int(self._end), os.strerror(int(self._end)))

    def _announced(self, file: BinaryIO, draft: Path) -> tuple[Any, Path]:
        return _File(file, self), draft


class _File:
    """A file whose writes reach the disk in two halves."""

    def __init__(self, file: BinaryIO, calls: Calls) -> None:
        self._file, self._calls = file, calls

    def write(self, part: bytes) -> None:
        half = len(part) // 2
        self._file.write(part[:half])
        self._file.flush()
        self._calls.call()
        self._file.write(part[half:])

    def flush(self) -> None:
        self._file.flush()
        self._calls.call()

    def fileno(self) -> int:
        return self._file.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def begun(act: Callable[[], int]) -> int:
    """Call a function in a forked child, which exits with its answer, or with 70 where it raises; the child's number."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        code = act()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(child: int) -> int:
    """Wait for a child; its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_child(act: Callable[[], int]) -> int:
    """Call a function in a forked child; its exit code."""
    return ended(begun(act))


def told(act: Callable[[], object]) -> int:
    """0 where it succeeds, `TOLD` where the store refuses in one line, 71 where in more."""
    try:
        act()
    except StoreError as error:
        return 71 if "\n" in str(error) else TOLD
    return 0
