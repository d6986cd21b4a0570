"""The command line: its commands, and its exit.

A command's module is imported when the command is called, and torch, scipy and hypothesis inside the commands that need them,
so that `list` and `explain` start immediately.
"""

import gc
from collections import UserDict
from importlib import import_module
from typing import Any, NoReturn

import rich_click as click

from spikecheck import __version__
from spikecheck.cli.console import never_fail_to_encode
from spikecheck.cli.exit import exit_with, left_by_click, report_error, rethrow_lost_interrupt, terminable


def main() -> NoReturn:
    """Run the command line and exit with its code; a user's mistake gives one line, never a traceback."""
    gc.set_threshold(_OBJECTS)
    never_fail_to_encode()
    rethrow_lost_interrupt()
    with terminable():
        try:
            code = cli.main(prog_name="spikecheck", standalone_mode=False)
        except SystemExit as error:
            code = error.code if left_by_click(error) else report_error(error)
        except (Exception, KeyboardInterrupt) as error:
            code = report_error(error)
    exit_with(code if isinstance(code, int) else 0)


_OBJECTS = 50_000
"""New objects between two searches for garbage. Imports make many that stay, and with Python's default, a search after every
700, torch's take a fifth of a second longer."""

_COMMANDS = {
    "compare": "reports:compare",
    "diagnose": "diagnose:diagnose",
    "doctor": "doctor:doctor",
    "explain": "explain:explain",
    "gate": "gate:gate",
    "list": "list:list_command",
    "map": "map:map_command",
    "merge": "reports:merge",
    "recheck": "reports:recheck",
    "replay": "replay:replay",
    "report": "reports:report",
    "selftest": "selftest:selftest",
    "show": "show:show",
    "store": "store:store",
    "verify": "verify:verify",
    "watch": "watch:watch",
}
"""Where each command is: the module in `cli.commands`, and the name in it."""


class OnDemand(UserDict[str, Any]):
    """The commands by name, each imported when it is looked up."""

    def __getitem__(self, name: str) -> click.Command:
        module, _, attribute = self.data[name].partition(":")
        found: click.Command = getattr(import_module(f"spikecheck.cli.commands.{module}"), attribute)
        return found


@click.group()
@click.version_option(__version__)
def cli() -> None:
    """Claims about loss spikes in training, as executable checks.

    Start with: spikecheck verify --claim condensation
    """


cli.commands = OnDemand(_COMMANDS)
