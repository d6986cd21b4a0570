"""Error messages of one line, and exit codes."""

import _thread
import os
import sys
import traceback
from threading import Timer
from types import TracebackType
from typing import Any, NoReturn

import rich_click as click
from click import exceptions

from spikecheck.cli.console import print_error
from spikecheck.core.errors import BaselineError, Interrupted, NothingSelected, SpikecheckError, Stopped

_MOMENT = 0.01
"""Seconds after which a callback has returned."""
# Older versions of click print the help of a bare command themselves and have no such error.
_HELP_WANTED = getattr(exceptions, "NoArgsIsHelpError", ())


def rethrow_lost_interrupt() -> None:
    """Raise a Ctrl-C again that Python swallowed because it arrived where nothing can be raised, such as in a callback.

    Functions compiled by Cython print a traceback first, by way of `sys.excepthook`: that of a Ctrl-C is left out.
    """
    before, shown = sys.unraisablehook, sys.excepthook

    def hook(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            # A moment later, since an interrupt raised here would be swallowed again.
            Timer(_MOMENT, _thread.interrupt_main).start()
        else:
            before(unraisable)

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            shown(kind, error, trace)

    sys.unraisablehook, sys.excepthook = hook, show


def exit_with(code: int) -> NoReturn:
    """Exit with this code, even after an interrupt that was caught.

    If an interrupt arrives while `exec` runs a string, in whatever library, Python sets a flag in its runtime
    (`unhandled_keyboard_interrupt`) even if the interrupt is caught, and `python -m` then ends by a signal instead of with
    the code. The next `exec` of a string clears the flag.
    """
    exec("")
    sys.exit(code)


def report_error(error: BaseException) -> int:
    """Print an error as one line, and return the exit code."""
    if isinstance(error, click.ClickException):
        return _misused(error)
    if isinstance(error, KeyboardInterrupt | click.Abort | Interrupted):
        kept = "without a store nothing is kept" if "--no-store" in sys.argv else "everything trained so far is kept"
        print_error(f"interrupted; {kept}")
        return 130
    if isinstance(error, Stopped):
        print_error(str(error))
        return 3
    if isinstance(error, SpikecheckError):
        print_error(f"error: {error}")
        return 5 if isinstance(error, NothingSelected) else 4 if isinstance(error, BaselineError) else 2
    if os.environ.get("SPIKECHECK_DEBUG"):
        traceback.print_exception(error)
    said = f"{type(error).__name__}: {error}"
    print_error(f"internal error: {said}; please report; set SPIKECHECK_DEBUG=1 for the traceback")
    return 70


def _misused(error: click.ClickException) -> int:
    """Print an error in the command line's syntax, or the help of a bare command, and return the exit code."""
    if isinstance(error, _HELP_WANTED):
        error.show()
    else:
        context = getattr(error, "ctx", None)
        print_error(
            f"error: {error.format_message()} See `{context.command_path if context else 'spikecheck'} --help`."
        )
    return error.exit_code
