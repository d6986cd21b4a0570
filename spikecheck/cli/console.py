"""Standard output for data, standard error for progress and errors. Both may be piped, narrow or closed."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from spikecheck.core.errors import UsageError
from spikecheck.report.sanitize import inert

_CI_WIDTH, _NARROW = 100, 80
"""Columns where `CI` is set, the most that a report uses; and on a terminal that does not say how wide it is."""
_LEAST, _MOST = 20, 1_000
"""Limits on what COLUMNS may say: a word has to fit, and lines are padded to the width."""


class _Console(Console):
    """A console for pipes that close early, where rich would exit with code 1, the code for a failed claim."""

    def on_broken_pipe(self) -> None:
        """Let the caller handle it."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console on either stream. In CI its width is 100 columns; with NO_COLOR it writes no escape codes."""
    return _Console(stderr=stderr, width=_width(), color_system=None if os.environ.get("NO_COLOR") else "auto")


def _width() -> int | None:
    """The width that the environment wants; None for the terminal's."""
    columns = os.environ.get("COLUMNS")
    if columns is None:
        return _CI_WIDTH if os.environ.get("CI") else None
    if not columns.strip("0 "):  # a terminal of unknown width reports 0 columns, in which nothing fits
        return _NARROW
    return min(max(int(columns), _LEAST), _MOST) if columns.isascii() and columns.isdigit() else None


def tell(*lines: str) -> None:
    """Print lines of data without wrapping them."""
    with tolerate_closed_pipe():
        for line in lines:
            console().print(Text(inert(line)), soft_wrap=True, highlight=False)


def print_error(line: str, style: str = "red") -> None:
    """Print one line to standard error."""
    console(stderr=True).print(Text(inert(line), style=style), soft_wrap=True, highlight=False)


@contextmanager
def tolerate_closed_pipe() -> Iterator[None]:
    """Ignore a closed pipe, as after `| head`, which must not change the exit code.

    Raises:
        UsageError: the output cannot be written for another reason, such as a full disk.
    """
    try:
        yield
    except OSError as error:
        # Otherwise the interpreter flushes to the broken stream at exit, and reports an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise UsageError(
                f"standard output: cannot be written: {error.strerror}; make room and run again"
            ) from error


def never_fail_to_encode() -> None:
    """Make both streams replace characters that their encoding lacks, since a claim's text may contain any."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
