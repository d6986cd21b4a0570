"""`spikecheck doctor`: examine an optimizer before it is gated."""

from collections.abc import Sequence

import rich_click as click
from rich.text import Text

from spikecheck.cli.console import console, tolerate_closed_pipe
from spikecheck.cli.loading import loading
from spikecheck.core.events import StageStarted
from spikecheck.core.finding import Finding
from spikecheck.gate.config import assignments, conditions
from spikecheck.report.live import watcher
from spikecheck.report.page import Page
from spikecheck.report.sanitize import inert


@click.command()
@click.option(
    "--optimizer", required=True, metavar="MODULE:CLASS", help="The optimizer: MODULE:CLASS or a built-in name."
)
@click.option("--set", "numbers", multiple=True, metavar="NAME=VALUE", help="Its arguments: lr, betas, … Repeatable.")
@click.option("--model", metavar="MODULE:FACTORY", help="Your own nn.Module, for optimizers that read parameter names.")
@click.option("--problem", metavar="MODULE:FACTORY", help="Your own data.")
@click.option(
    "--at",
    "changes",
    multiple=True,
    metavar="CONDITION=VALUE",
    help="Change a condition: batch, steps, schedule, clip, … Repeatable.",
)
def doctor(
    optimizer: str, numbers: Sequence[str], model: str | None, problem: str | None, changes: Sequence[str]
) -> int:
    """Check that an optimizer can be trained, resumed and linearised, and moves as in torch's ordinary loop.

    Exits 0, or 1 if it moves differently, or 2 with the reason if it cannot be used.
    """
    with loading(console(stderr=True)):
        from spikecheck.gate.compatibility import examined
        from spikecheck.gate.suite import contestant

    given_numbers = assignments(numbers, "--set")
    given = {name: value for name, value in {"model": model, "problem": problem}.items() if value is not None}
    with watcher(console(stderr=True), quiet=False) as observe:
        observe(StageStarted("doctor", "compared with torch's ordinary loop", 1, 0))
        findings = examined(contestant(optimizer, given_numbers), given | conditions(changes))
    with tolerate_closed_pipe():
        page = Page(console())
        for finding in findings:
            _tell(page, finding)
    return 1 if any(finding.fatal for finding in findings) else 0


def _tell(page: Page, finding: Finding) -> None:
    good = "+" if page.ascii_only else "✓"
    sign, style = (good, "green") if finding.good else ("!", "yellow")
    page.say(Text.assemble((sign, style), " ", inert(finding.seen)))
    if finding.means:
        page.say(inert(finding.means), "dim", indent=2)
