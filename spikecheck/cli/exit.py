"""Error messages of one line, and exit codes."""

import _thread
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Timer, current_thread, main_thread
from types import FrameType, TracebackType
from typing import Any, NoReturn

import rich_click as click
from click import exceptions

from spikecheck.cli.console import print_error
from spikecheck.core.errors import (
    BaselineError,
    Interrupted,
    NothingSelected,
    SpikecheckError,
    Stopped,
    lacks_memory,
    text_of,
    what_stays,
)

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes after Ctrl-C and after SIGTERM: those that a shell reports of a process which the signal has ended."""
_MOMENT = 0.01
"""Seconds after which a callback has returned."""
# Older versions of click print the help of a bare command themselves and have no such error.
_HELP_WANTED = getattr(exceptions, "NoArgsIsHelpError", ())


_terminated = Event()


@contextmanager
def terminable() -> Iterator[None]:
    """A context in which SIGTERM ends the work as Ctrl-C does, with a partial report and one line on what is kept.

    Without it, SIGTERM ends Python at once and without a message. A handler that other code has set stays.
    """
    _terminated.clear()
    free = current_thread() is main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if free:
        signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        if free:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> None:
    _terminated.set()
    raise KeyboardInterrupt


def rethrow_lost_interrupt() -> None:
    """Raise a Ctrl-C again that Python swallowed because it arrived where nothing can be raised, such as in a callback.

    Functions compiled by Cython print a traceback first, by way of `sys.excepthook`: that of a Ctrl-C is left out.
    """
    before, shown = sys.unraisablehook, sys.excepthook

    def hook(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            # A moment later, since an interrupt raised here would be swallowed again.
            lost = signal.SIGTERM if _terminated.is_set() else signal.SIGINT
            Timer(_MOMENT, _thread.interrupt_main, (lost,)).start()
        else:
            before(unraisable)

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            shown(kind, error, trace)

    sys.unraisablehook, sys.excepthook = hook, show


def exit_with(code: int) -> NoReturn:
    """Exit with this code, or with that of SIGTERM after an interrupt by it, even after an interrupt that was caught.

    If an interrupt arrives while `exec` runs a string, in whatever library, Python sets a flag in its runtime
    (`unhandled_keyboard_interrupt`) even if the interrupt is caught, and `python -m` then ends by a signal instead of with
    the code. The next `exec` of a string clears the flag.
    """
    exec("")
    sys.exit(TERMINATED if code == INTERRUPTED and _terminated.is_set() else code)


def report_error(error: BaseException) -> int:
    """Print an error as one line, and return the exit code."""
    if isinstance(error, click.ClickException):
        return _misused(error)
    if _is_interrupt(error):
        print_error(f"interrupted; {what_stays(stored='--no-store' not in sys.argv)}")
        return INTERRUPTED
    if isinstance(error, Stopped):
        print_error(str(error))
        return 3
    if isinstance(error, SpikecheckError):
        print_error(f"error: {error}")
        return 5 if isinstance(error, NothingSelected) else 4 if isinstance(error, BaselineError) else 2
    if isinstance(error, SystemExit) or lacks_memory(error):
        print_error(f"error: {_left(error) if isinstance(error, SystemExit) else _out_of_memory(error)}")
        return 2
    if os.environ.get("SPIKECHECK_DEBUG"):
        traceback.print_exception(error)
    said = f"{type(error).__name__}: {text_of(error)}"
    print_error(f"internal error: {said}; please report; set SPIKECHECK_DEBUG=1 for the traceback")
    return 70


def _is_interrupt(error: BaseException) -> bool:
    """Whether it is a Ctrl-C, or what was made of one that came while a class or a model was being built.

    Python 3.11 makes a RuntimeError of it, which names it as its cause; pydantic's core only writes its name.
    """
    if isinstance(error, KeyboardInterrupt | click.Abort | Interrupted):
        return True
    of_a_model = type(error).__name__ == "SchemaError" and KeyboardInterrupt.__name__ in str(error)
    return of_a_model or (error.__cause__ is not None and _is_interrupt(error.__cause__))


def left_by_click(error: SystemExit) -> bool:
    """Whether the command line's library has called sys.exit, as after showing help or completing a word for the shell."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).partition(".")[0] in ("click", "rich_click")


def _out_of_memory(error: BaseException) -> str:
    what = f": {error}" if str(error) else ""  # Python's own MemoryError says nothing
    return f"out of memory{what}; use a smaller problem, or --executor local; stored runs are kept"


def _left(error: SystemExit) -> str:
    """Where a user's code has called sys.exit, which nothing here does while a command runs."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{where.filename}, line {where.lineno} called sys.exit({error.code!r}); raise an exception there instead"


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
