"""The expected cost and power of a verification, as a table."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikecheck.core.outlook import Outlook
from spikecheck.report.phrases import percent, plural
from spikecheck.report.sanitize import inert

_COLUMNS = ("claim", "judged", "runs", "of all", "seeds", "needed", "power")

_BEYOND = 0.4
"""Distance from the limit that `harness.cost_model` assumes for a true average, in standard deviations of the seeds."""


def render_outlook(outlooks: Sequence[Outlook], console: Console) -> None:
    """Print one line a claim, and the meaning of the columns."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "claim" else "right", no_wrap=name != "claim")
    for claim in outlooks:
        table.add_row(
            Text(inert(claim.claim)),
            f"{claim.settings:,}",
            f"{claim.runs:,}",
            f"{100 * claim.share:.0f} %",
            f"{claim.seeds:,}",
            f"{claim.fewest:,}",
            f"{claim.power:.2f}",
        )
    console.print(table)
    console.print(Text(_legend(outlooks), style="dim"))


def _legend(outlooks: Sequence[Outlook]) -> str:
    runs = sum(claim.runs for claim in outlooks)
    return (
        f"About {plural(runs, 'run')} if nothing is stored. Judged: about how often a setting or a control is judged, each "
        "time with its seeds. Of all: a claim's part of the work. Seeds: the most that are trained at the reference setting; "
        "needed: applicable ones without which nothing can hold. Power: how likely the claim holds at the last look if all "
        f"are applicable and {_truth(outlooks)}."
    )


def _truth(outlooks: Sequence[Outlook]) -> str:
    """The truth that the power is computed for."""
    shares = dict.fromkeys(percent((1 + claim.required) / 2) for claim in outlooks if claim.required is not None)
    said = [f"it is true in {', '.join(shares)} of them"] if shares else []
    if any(claim.required is None for claim in outlooks):
        said.append(f"the average lies {_BEYOND} of the seeds' standard deviations beyond its limit")
    return ", or ".join(said)
