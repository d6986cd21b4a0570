"""`spikecheck watch`: the log of a watched training, also while it is written."""

import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from rich.console import Console

from spikecheck.cli.console import console, print_error, tolerate_closed_pipe
from spikecheck.report import atomic_write
from spikecheck.report.page import Page

if TYPE_CHECKING:
    from spikecheck.watch.log import WatchLog

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
    read = import_module("spikecheck.watch.log").WatchLog.open(log)
    if html is not None:
        text: str = import_module("spikecheck.report.watch_html").watch_html(_judged(read), log.name)
        atomic_write.write(text.encode(), html, "--html")
    with tolerate_closed_pipe():
        if follow:
            _follow(read)
        else:
            _show(read, console())
    return 0


def _judged(log: "WatchLog") -> object:
    return import_module("spikecheck.watch.summary").summary(log)


def _show(log: "WatchLog", to: Console) -> None:
    import_module("spikecheck.report.watch_page").render_watch(_judged(log), Page(to))


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
