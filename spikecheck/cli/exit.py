"""What a command that went wrong says, in a line, and the code it leaves with."""

import _thread
import os
import sys
import traceback
from threading import Timer
from typing import Any, NoReturn

import rich_click as click
from click import exceptions

from spikecheck.cli.console import print_error
from spikecheck.core.errors import BaselineError, Interrupted, NothingSelected, SpikecheckError, Stopped

_MOMENT = 0.01
"""Seconds until a callback is over."""
# Older versions of click answer the bare command themselves.
_HELP_WANTED = getattr(exceptions, "NoArgsIsHelpError", ())


def rethrow_lost_interrupt() -> None:
    """Ctrl-C that falls into a callback of Python's own, where nothing can be raised, counts as pressed right after it."""
    before = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            # A moment later: raised in here it would be lost again.
            Timer(_MOMENT, _thread.interrupt_main).start()
        else:
            before(unraisable)

    sys.unraisablehook = hook


def exit_with(code: int) -> NoReturn:
    """Leave with this code, whatever was interrupted before.

    Python notes an interrupt that fell into `exec` of a string, which a library may call anywhere, even where it is caught
    (`unhandled_keyboard_interrupt` of its runtime); `python -m` then ends by a signal instead of with the code. The next such
    `exec` takes the note away.
    """
    exec("")
    sys.exit(code)


def report_error(error: BaseException) -> int:
    """Say in one line what went wrong; the code to leave with."""
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
    """Words that the command line does not know. The bare command is answered by its help."""
    if isinstance(error, _HELP_WANTED):
        error.show()
    else:
        context = getattr(error, "ctx", None)
        print_error(
            f"error: {error.format_message()} See `{context.command_path if context else 'spikecheck'} --help`."
        )
    return error.exit_code
