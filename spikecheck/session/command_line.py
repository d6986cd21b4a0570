"""The command that is running, as it was typed."""

import shlex
import sys

from spikecheck.report.sanitize import inert


def command_line() -> str:
    """The command as it was typed, without control characters."""
    return shlex.join(["spikecheck", *map(inert, sys.argv[1:])])
