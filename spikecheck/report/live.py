"""What is going on while claims are verified: a live display on a terminal, plain lines elsewhere."""

import os
import time
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from spikecheck.core.events import (
    ClaimFinished,
    ClaimStarted,
    Event,
    SettingJudged,
    StageStarted,
    StoreTrouble,
    TileAdvanced,
    TileStored,
    WorkPlanned,
)
from spikecheck.report.inert import inert

_PLAIN_EVERY = 10.0
"""Seconds between two plain lines of progress; stages and finished claims always get theirs."""


class Watcher(Protocol):
    """An observer that is open while the work goes on."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def __call__(self, event: Event) -> None:
        """Hear one event."""


def watcher(console: Console, quiet: bool) -> Watcher:
    """The display that suits the stream: live on a terminal, lines when piped or in CI, nothing when quiet."""
    if quiet:
        return Silent(console)
    live = console.is_terminal and not os.environ.get("CI")
    return Live(console) if live else Lines(console)


class Tally:
    """What has happened so far."""

    def __init__(self) -> None:
        self.claim = self.stage = ""
        self.planned = self.made = self.judged = self.spikes = self.trained = self.reused = 0
        self.began = time.monotonic()

    def add(self, event: Event) -> None:
        """Count one event."""
        match event:
            case ClaimStarted():
                self.claim = f"{event.claim} ({event.position}/{event.total})"
                self.stage = ""
            case StageStarted():
                self.stage = event.stage
            case WorkPlanned():
                self.planned += event.member_steps
                self.reused += event.runs_reused
            case TileAdvanced():
                self.made += event.member_steps
            case TileStored():
                self.trained += event.runs
                self.spikes += event.spikes
            case SettingJudged():
                self.judged += 1
            case _:
                pass

    @property
    def rate(self) -> float:
        """Member-steps per second since the start."""
        return self.made / max(time.monotonic() - self.began, 1e-9)

    def counts(self) -> str:
        """One line of figures."""
        return (
            f"{self.rate / 1e3:,.0f}k member-steps/s, {self.judged} settings judged, {self.spikes:,} spikes, "
            f"{self.trained:,} trained, {self.reused:,} reused"
        )


class Silent:
    """Says nothing but what concerns the store: that would otherwise be lost without a word."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, event: Event) -> None:
        """Only trouble is told."""
        if isinstance(event, StoreTrouble):
            _warn(self._console, event)


class Lines(Silent):
    """One line a stage and a finished claim, and now and then one on the way."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._tally = Tally()
        self._last = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Tell what matters in a log."""
        super().__call__(event)
        self._tally.add(event)
        if isinstance(event, StageStarted):
            self._say(f"{event.claim}: {event.stage}, {event.settings} settings x {event.seeds} seeds")
        elif isinstance(event, ClaimFinished):
            verdict = event.verdict
            self._say(f"{verdict.id}: replicates {verdict.replicates}, generalises {verdict.generalises}")
        elif time.monotonic() - self._last > _PLAIN_EVERY:
            self._say(f"{self._tally.claim} {self._tally.stage}: {self._tally.counts()}")

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        self._console.print(Text(inert(text)), soft_wrap=True, highlight=False)


class Live(Silent):
    """A bar over the planned member-steps, and the figures beneath it."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._tally = Tally()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(compact=True),
            TextColumn("\n  {task.fields[counts]}"),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        self._task = self._progress.add_task("starting", total=None, counts="")
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Update the display."""
        super().__call__(event)
        self._tally.add(event)
        if self._task is None:
            return
        self._progress.update(
            self._task,
            description=inert(f"{self._tally.claim} {self._tally.stage}"),
            total=max(self._tally.planned, 1),
            completed=min(self._tally.made, self._tally.planned),
            counts=self._tally.counts(),
        )


def _warn(console: Console, trouble: StoreTrouble) -> None:
    console.print(Text(f"warning: {inert(trouble.message)}", style="yellow"), soft_wrap=True, highlight=False)
