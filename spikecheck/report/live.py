"""Progress of a verification: a live display on a terminal, plain lines elsewhere."""

import os
import time
from collections.abc import Callable
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from spikecheck.core.events import ClaimFinished, Event, StageStarted, StoreTrouble
from spikecheck.core.verdict import Verdict
from spikecheck.report.outcomes import badge
from spikecheck.report.progress import Tally, clock_time, stage_says
from spikecheck.report.sanitize import inert

_PLAIN_EVERY = 10.0
"""Seconds between two plain lines of progress. Stages and finished claims are always printed."""


class Watcher(Protocol):
    """An observer of events, used as a context manager during the work."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def __call__(self, event: Event) -> None:
        """Receive one event."""


def watcher(console: Console, *, quiet: bool) -> Watcher:
    """The display for this stream: live on a terminal, lines when piped or in CI, warnings only when quiet.

    The decision uses the stream's `isatty`, because rich takes a pipe for a terminal under FORCE_COLOR.
    """
    if quiet:
        return Silent(console)
    live = console.file.isatty() and not console.is_dumb_terminal and not os.environ.get("CI")
    return Live(console) if live else Lines(console)


class Silent:
    """Prints warnings about the store and nothing else: nothing else would report them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ascii_only = not (console.encoding or "").lower().startswith("utf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, event: Event) -> None:
        """Print a warning if the event is one."""
        if isinstance(event, StoreTrouble):
            self._say(Text(f"warning: {inert(event.message)}", style="yellow"))

    def _say(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True, highlight=False)

    def _finished(self, verdict: Verdict) -> Text:
        replicates, generalises = (
            badge(outcome, ascii_only=self._ascii_only) for outcome in (verdict.replicates, verdict.generalises)
        )
        return Text.assemble(inert(verdict.id), ": replicates ", replicates, ", generalises ", generalises)


class Lines(Silent):
    """One line for each stage and each finished claim, and a line of progress every ten seconds."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console)
        self._clock = clock
        self._tally = Tally(clock)
        self._last = clock()

    def __call__(self, event: Event) -> None:
        """Print a line if the event or the time calls for one."""
        super().__call__(event)
        self._tally.add(event)
        tally = self._tally
        if isinstance(event, StageStarted) and event.settings:
            self._tell(_joined(f"{event.claim}: {stage_says(event)}", tally.progress()))
        elif isinstance(event, ClaimFinished):
            overall = tally.progress() if tally.claims > 1 else ""
            known = [f"; {part}" for part in (tally.counts(), overall) if part]
            self._tell(Text.assemble(self._finished(event.verdict), *known))
        elif self._clock() - self._last >= _PLAIN_EVERY:
            where = ": ".join(filter(None, (tally.claim, tally.stage)))
            self._tell(_joined(where, tally.progress(), tally.counts()))

    def _tell(self, line: Text) -> None:
        self._last = self._clock()
        self._say(Text(f"[{clock_time(self._tally.elapsed):>5}] ") + line)


class Live(Silent):
    """A live display: claim, stage, a bar over the whole command, and counts. Each finished claim leaves a line."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._tally = Tally()
        self._spinner = Spinner("line" if self._ascii_only else "dots")
        # Standard output carries data; the display must not redirect it.
        self._screen = Screen(
            get_renderable=self._shown, console=console, transient=True, refresh_per_second=8, redirect_stdout=False
        )

    def __enter__(self) -> Self:
        self._screen.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._screen.stop()

    def __call__(self, event: Event) -> None:
        """Count the event; the screen refreshes by itself."""
        super().__call__(event)
        self._tally.add(event)
        if isinstance(event, ClaimFinished) and self._tally.claims > 1:
            self._say(self._finished(event.verdict))

    def _shown(self) -> Group:
        tally = self._tally
        head = Table.grid(padding=(0, 1))
        head.add_row(
            self._spinner, Text(inert(tally.claim or "starting"), style="bold"), Text(tally.place, style="dim")
        )
        progress = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=1.0, completed=tally.pace.share, width=24, pulse=bool(tally.doing))
        known = filter(None, (tally.counts(), clock_time(tally.elapsed)))
        progress.add_row(Text(" "), bar, Text(tally.progress()))
        return Group(
            head,
            Text(f"  {inert(tally.stage)}", no_wrap=True, overflow="ellipsis"),
            progress,
            Text(f"  {', '.join(known)}", style="dim", no_wrap=True, overflow="ellipsis"),
        )


def _joined(*parts: str) -> Text:
    return Text(inert("; ".join(filter(None, parts))))
