"""Where the command line begins, as `spikecheck` and as `python -m spikecheck`."""

import os
import sys

TYPE_CHECKING = False  # as in the package: nothing is imported before a Ctrl-C can be caught
if TYPE_CHECKING:
    from typing import Any, NoReturn

_INTERRUPTED = 130
_SAID = "interrupted; nothing was begun\n"


def main() -> "NoReturn":
    """Run the command line and exit with its code. Ctrl-C while it is still being imported is one line as well."""
    before, sys.unraisablehook = sys.unraisablehook, _ended
    try:
        from spikecheck.cli.main import main as command
    except KeyboardInterrupt:
        sys.stderr.write(_SAID)
        sys.exit(_INTERRUPTED)
    sys.unraisablehook = before
    command()


def _ended(unraisable: "Any") -> None:
    """End the process where a Ctrl-C came in a callback of the import's: Python would print it and go on."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.stderr.write(_SAID)
        sys.stderr.flush()
        os._exit(_INTERRUPTED)
    sys.__unraisablehook__(unraisable)


if __name__ == "__main__":
    main()
