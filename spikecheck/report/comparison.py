"""The comparison of two result files, for the terminal."""

from rich.console import Console
from rich.text import Text

from spikecheck.core.comparison import Comparison, Kind
from spikecheck.report.phrases import plural
from spikecheck.report.sanitize import inert

_STYLES: dict[Kind, str] = {"regressed": "bold red", "improved": "bold green", "changed": "yellow", "same": "dim"}


def render_comparison(comparison: Comparison, console: Console) -> None:
    """Print what changed, regressions first, and the number of unchanged entries."""
    console.print(
        Text(inert(f"{comparison.before} -> {comparison.after}"), style="bold"), soft_wrap=True, highlight=False
    )
    for line in comparison.lines:
        if line.kind != "same":
            console.print(
                Text.assemble((f"{line.kind:9}", _STYLES[line.kind]), "  ", (inert(line.name), "bold")), soft_wrap=True
            )
            console.print(Text(f"           before  {inert(line.before)}"), soft_wrap=True, highlight=False)
            console.print(Text(f"           after   {inert(line.after)}"), soft_wrap=True, highlight=False)
    same = sum(line.kind == "same" for line in comparison.lines)
    console.print(Text(f"{plural(same, 'entry') if same == 1 else f'{same:,} entries'} unchanged", style="dim"))
