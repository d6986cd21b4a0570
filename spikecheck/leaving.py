"""What a command that went wrong says, in a line, and the code it leaves with."""

import os
import traceback

import rich_click as click
from click import exceptions

from spikecheck.core.errors import BaselineError, Interrupted, NothingSelected, SpikecheckError, Stopped
from spikecheck.streams import complain

# Older versions of click answer the bare command themselves.
_HELP_WANTED = getattr(exceptions, "NoArgsIsHelpError", ())


def told(error: BaseException) -> int:
    """Say in one line what went wrong; the code to leave with."""
    if isinstance(error, click.ClickException):
        return _misused(error)
    if isinstance(error, KeyboardInterrupt | click.Abort | Interrupted):
        complain("interrupted; everything trained so far is kept")
        return 130
    if isinstance(error, Stopped):
        complain(str(error))
        return 3
    if isinstance(error, SpikecheckError):
        complain(f"error: {error}")
        return 5 if isinstance(error, NothingSelected) else 4 if isinstance(error, BaselineError) else 2
    if os.environ.get("SPIKECHECK_DEBUG"):
        traceback.print_exception(error)
    said = f"{type(error).__name__}: {error}"
    complain(f"internal error: {said}; please report; set SPIKECHECK_DEBUG=1 for the traceback")
    return 70


def _misused(error: click.ClickException) -> int:
    """Words that the command line does not know. The bare command is answered by its help."""
    if isinstance(error, _HELP_WANTED):
        error.show()
    else:
        context = getattr(error, "ctx", None)
        complain(f"error: {error.format_message()} See `{context.command_path if context else 'spikecheck'} --help`.")
    return error.exit_code
