"""The command line: its commands, and how it is left.

Imports of torch, scipy and hypothesis stand inside the commands that need them, so that `list`, `explain` and `--help`
answer at once.
"""

from typing import NoReturn

import rich_click as click

from spikecheck import __version__
from spikecheck.cli.commands.doctor import doctor
from spikecheck.cli.commands.explain import explain
from spikecheck.cli.commands.gate import gate
from spikecheck.cli.commands.list import list_command
from spikecheck.cli.commands.map import map_command
from spikecheck.cli.commands.replay import replay
from spikecheck.cli.commands.reports import compare, merge, recheck, report
from spikecheck.cli.commands.selftest import selftest
from spikecheck.cli.commands.show import show
from spikecheck.cli.commands.store import store
from spikecheck.cli.commands.verify import verify
from spikecheck.cli.console import never_fail_to_encode
from spikecheck.cli.exit import exit_with, report_error, rethrow_lost_interrupt


def main() -> NoReturn:
    """Run the command line and leave with an exit code; a user's mistake is one line, never a traceback."""
    never_fail_to_encode()
    rethrow_lost_interrupt()
    try:
        code = cli.main(prog_name="spikecheck", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        code = report_error(error)
    exit_with(code if isinstance(code, int) else 0)


@click.group()
@click.version_option(__version__)
def cli() -> None:
    """Claims about loss spikes in training, as executable checks.

    Start with: spikecheck verify --claim condensation
    """


for command in (
    list_command,
    explain,
    verify,
    map_command,
    replay,
    gate,
    compare,
    doctor,
    merge,
    recheck,
    report,
    selftest,
    show,
    store,
):
    cli.add_command(command)
