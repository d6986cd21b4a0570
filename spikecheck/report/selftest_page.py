"""The counts of a self-test, for the terminal."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.text import Text

from spikecheck.report.page import Page

if TYPE_CHECKING:
    from spikecheck.stats.counts import Count  # brings scipy

_EXPLAINED = (
    "Every line: so many verifications or gates in a world whose truth is planted, by the rules that judge trained models; "
    "the rate, and its interval of 95 %. At most: errors, as rare as is promised. Without it: what is there, and how often "
    "it is found."
)


def render_counts(counts: Sequence["Count"], page: Page) -> None:
    """Print one block for each simulated world: counts, rates with their intervals, and promised error rates."""
    for world, lines in groupby(counts, key=lambda count: count.world):
        page.say(world, "bold")
        for count in lines:
            page.verbatim(_line(count, page))
    page.blank()
    page.say(_EXPLAINED, "dim")


def _line(count: "Count", page: Page) -> Text:
    rate = f"{_percent(count.times / count.rounds)} %"
    interval = f"{_percent(count.low)} to {_percent(count.high)} %"
    line = Text(f"  {count.seen:<24}{f'{count.times:,}/{count.rounds:,}':>12}{rate:>9}{interval:>17}")
    if count.promised is None:
        return line
    good, bad = ("+", "x") if page.ascii_only else ("✓", "✗")
    sign = (bad, "bold red") if count.broken else (good, "green")
    return Text.assemble(line, f"  at most {100 * count.promised:.0f} % ", sign)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
