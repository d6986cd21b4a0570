"""A watched training's log in the terminal: answer, loss, overshoot, spikes and warnings."""

import math
from collections.abc import Sequence

from rich.text import Text

from spikecheck.report.curves import Axis, curve, step_axis
from spikecheck.report.page import Page
from spikecheck.report.sanitize import inert
from spikecheck.report.watch_words import MEANING, OVERSHOOT_CAPTION, SPIKE_COLUMNS, about, heading, notes, spike_line
from spikecheck.watch.summary import Summary

_LOSS_ROWS, _OVERSHOOT_ROWS = 7, 5
_SHOWN = 8
"""At most so many spikes and warnings are listed; the HTML page has all."""
_RISES = 3


def render_watch(summary: Summary, page: Page) -> None:
    """Print the summary of a log on the page."""
    page.say(heading(summary), "bold red" if summary.spikes else "bold green" if summary.steps else "bold")
    page.say(inert(about(summary)), "dim")
    if summary.steps:
        _curves(summary, page)
        _spikes(summary, page)
        _warnings(summary, page)
    for note in notes(summary):
        page.say(inert(note), "yellow")
    page.blank()
    page.say(MEANING, "dim")


def _curves(summary: Summary, page: Page) -> None:
    axis = Axis(summary.steps[0].step, summary.steps[-1].step, page.width, page.ascii_only)
    positive = all(loss > 0.0 for _, loss in summary.losses)
    page.blank()
    page.say(f"loss{', log scale' if positive else ''}", "cyan")
    points = [(step, math.log10(loss) if positive else loss) for step, loss in summary.losses]
    _verbatim(
        page, curve(axis, points, _LOSS_ROWS, (lambda log: f"{10.0**log:.3g}") if positive else (lambda v: f"{v:.3g}"))
    )
    if summary.overshoots:
        page.say(OVERSHOOT_CAPTION, "cyan")
        _verbatim(page, curve(axis, summary.drawn_overshoots, _OVERSHOOT_ROWS, lambda value: f"{value:.2f}", level=1.0))
    _verbatim(page, step_axis(axis, [(spike.onset, "o") for spike in summary.spikes]))


def _spikes(summary: Summary, page: Page) -> None:
    if not summary.spikes:
        return
    page.blank()
    rows = [SPIKE_COLUMNS, *(spike_line(spike, summary) for spike in summary.spikes[-_SHOWN:])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(SPIKE_COLUMNS))]
    for number, row in enumerate(rows):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        page.verbatim(Text(f"  {cells}".rstrip(), style="dim" if number == 0 else ""))
    _more(page, len(summary.spikes), "spikes")


def _warnings(summary: Summary, page: Page) -> None:
    page.blank()
    for warned in summary.warnings[-_SHOWN:]:
        page.row(f"step {warned.step:,}", inert(warned.says))
    _more(page, len(summary.warnings), "warnings")
    page.rows("rising now", [inert(rise.says()) for rise in summary.rises[:_RISES]])


def _more(page: Page, count: int, what: str) -> None:
    if count > _SHOWN:
        page.say(f"  the last {_SHOWN} of {count} {what}; --html FILE shows all", "dim")


def _verbatim(page: Page, lines: Sequence[str]) -> None:
    for line in lines:
        page.verbatim(line)
