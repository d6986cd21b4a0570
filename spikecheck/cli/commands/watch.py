"""`spikecheck watch`: the log of a watched training, also while it is written."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from rich.console import Console

from spikecheck.cli.console import console, print_error, tolerate_closed_pipe
from spikecheck.report import atomic_write
from spikecheck.report.page import Page

if TYPE_CHECKING:
    from spikecheck.watch.log import WatchLog
    from spikecheck.watch.summary import Summary

_EVERY = 1.0
"""Seconds between two reads of a growing log."""


@click.command()
@click.argument("log", type=click.Path(path_type=Path))
@click.option("--follow", is_flag=True, help="Update the page while the log grows, until Ctrl-C.")
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Also write a web page, in one file that needs no other.",
)
def watch(log: Path, follow: bool, html: Path | None) -> int:
    """Show the log that spikecheck.Watch wrote: loss, overshoot, spikes, and the figures that rose last."""
    if html is not None:
        atomic_write.check(html, "--html")
    from spikecheck.watch.log import WatchLog

    read = WatchLog.open(log)
    if html is not None:
        from spikecheck.report.watch_html import watch_html

        atomic_write.write(watch_html(_judged(read), log.name).encode(), html, "--html")
    with tolerate_closed_pipe():
        if follow:
            _follow(read)
        else:
            _show(read, console())
    return 0


def _judged(log: "WatchLog") -> "Summary":
    from spikecheck.watch.summary import summary

    return summary(log)


def _show(log: "WatchLog", to: Console) -> None:
    from spikecheck.report.watch_page import render_watch

    render_watch(_judged(log), Page(to))


def _follow(log: "WatchLog") -> None:
    """Redraw the page on a terminal; elsewhere print a page whenever the log has grown."""
    to, changed = console(), True
    try:
        while True:
            if changed:
                if to.is_terminal:
                    to.clear()
                _show(log, to)
            time.sleep(_EVERY)
            changed = log.refresh()
    except KeyboardInterrupt:
        print_error("no longer followed; the training goes on", "")
