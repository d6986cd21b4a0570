"""The result of `spikecheck recheck`: statements of a report that contradict its own counts."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from spikecheck.core.verdict import Report
from spikecheck.report.phrases import plural
from spikecheck.report.sanitize import inert


def render_rechecked(report: Report, differences: Mapping[str, Sequence[str]], console: Console) -> None:
    """Print every contradiction under its claim, and how many verdicts have none."""
    for claim, said in differences.items():
        console.print(Text(inert(claim), style="bold red"), soft_wrap=True)
        for line in said:
            console.print(Text(f"  {inert(line)}"), soft_wrap=True, highlight=False)
    sound = sum(verdict.id not in differences for verdict in report.claims)
    follow = "follows from its counts" if len(report.claims) == 1 else "follow from their counts"
    console.print(Text(f"{sound} of {plural(len(report.claims), 'verdict')} {follow}"), highlight=False)
