"""The command line in this process, and what is wrong with how it ended: for studies that give it many inputs."""

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout

from spikecheck.cli.exit import report_error
from spikecheck.cli.main import cli

INTERNAL = 70
"""The exit code of an internal error."""


def called(words: Sequence[str]) -> tuple[str, int]:
    """What is wrong with how the command line took these words, empty where nothing is; and its exit code."""
    return answered(lambda: cli.main(list(words), prog_name="spikecheck", standalone_mode=False))


def answered(ask: Callable[[], object]) -> tuple[str, int]:
    """The same of a function that returns an exit code, or raises what the command line reports in one line."""
    out, said = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said):
        try:
            code = ask()
        except (Exception, KeyboardInterrupt) as error:
            try:
                code = report_error(error)
            except Exception as again:
                return f"printing the error failed: {type(again).__name__}: {again}", INTERNAL
    return _wrong(code if isinstance(code, int) else 0, out.getvalue(), said.getvalue())


def _wrong(code: int, out: str, said: str) -> tuple[str, int]:
    if code == INTERNAL:
        return said.strip()[:300], code
    if "\x1b]" in out or "\x1b[2J" in out + said:
        return "a terminal escape came through", code
    return ("an error of several lines" if code in (2, 4, 5) and said.count("\n") != 1 else ""), code
