"""`spikecheck doctor`: an optimizer looked over before it is gated."""

from collections.abc import Sequence

import rich_click as click
from rich.text import Text

from spikecheck.cli.console import console, tolerate_closed_pipe
from spikecheck.core.events import StageStarted
from spikecheck.core.finding import Finding
from spikecheck.gate.config import assignments, conditions
from spikecheck.report.live import watcher
from spikecheck.report.page import Page
from spikecheck.report.sanitize import inert


@click.command()
@click.option("--optimizer", required=True, metavar="MODULE:CLASS", help="The optimizer, or spikecheck's of that name.")
@click.option("--set", "numbers", multiple=True, metavar="NAME=VALUE", help="lr, betas, …: its arguments. Repeatable.")
@click.option("--model", metavar="MODULE:FACTORY", help="Your own nn.Module, whose parameters have names of their own.")
@click.option("--problem", metavar="MODULE:FACTORY", help="Your own data.")
@click.option("--at", "changes", multiple=True, metavar="CONDITION=VALUE", help="batch, steps, schedule, clip, …")
def doctor(
    optimizer: str, numbers: Sequence[str], model: str | None, problem: str | None, changes: Sequence[str]
) -> int:
    """Whether an optimizer can be trained, resumed and linearised here, and moves as in torch's ordinary loop.

    Exits 2 with the reason if it cannot be used, 1 if it moves otherwise.
    """
    from spikecheck.gate.compatibility import examined  # brings torch
    from spikecheck.gate.suite import contestant

    told = assignments(numbers, "--set")
    given = {name: value for name, value in {"model": model, "problem": problem}.items() if value is not None}
    with watcher(console(stderr=True), quiet=False) as observe:
        observe(StageStarted("doctor", "compared with torch's ordinary loop", 1, 0))
        found = examined(contestant(optimizer, told), given | conditions(changes))
    with tolerate_closed_pipe():
        page = Page(console())
        for finding in found:
            _tell(page, finding)
    return 1 if any(finding.fatal for finding in found) else 0


def _tell(page: Page, finding: Finding) -> None:
    good = "+" if page.ascii_only else "✓"
    sign, style = (good, "green") if finding.good else ("!", "yellow")
    page.say(Text.assemble((sign, style), " ", inert(finding.seen)))
    if finding.means:
        page.say(inert(finding.means), "dim", indent=2)
