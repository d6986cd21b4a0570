"""Standard output for data, standard error for progress and complaints; both may be piped, narrow, or gone."""

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


class _Console(Console):
    """A console whose reader may leave early: rich would then exit with code 1, which here means a refuted claim."""

    def on_broken_pipe(self) -> None:
        """Leave it to whoever prints."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console on either stream. CI logs get a width of their own; NO_COLOR means no escapes at all."""
    width = _CI_WIDTH if os.environ.get("CI") and "COLUMNS" not in os.environ else None
    if not os.environ.get("COLUMNS", "1").strip(
        "0 "
    ):  # a terminal that does not know its width says 0, and nothing would fit
        width = _NARROW
    return _Console(stderr=stderr, width=width, color_system=None if os.environ.get("NO_COLOR") else "auto")


def tell(*lines: str) -> None:
    """Print lines of data, however long."""
    with tolerate_closed_pipe():
        for line in lines:
            console().print(Text(inert(line)), soft_wrap=True, highlight=False)


def print_error(line: str, style: str = "red") -> None:
    """Print one line to standard error."""
    console(stderr=True).print(Text(inert(line), style=style), soft_wrap=True, highlight=False)


@contextmanager
def tolerate_closed_pipe() -> Iterator[None]:
    """Print as long as somebody reads: `| head` decides neither what was found nor the exit code.

    Raises:
        UsageError: when what is printed cannot be written, such as into a file on a full disk.
    """
    try:
        yield
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter complains at exit
        if not isinstance(error, BrokenPipeError):
            raise UsageError(
                f"standard output: cannot be written: {error.strerror}; make room and run again"
            ) from error


def never_fail_to_encode() -> None:
    """Make both streams replace what their encoding lacks: a claim may say anything."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
