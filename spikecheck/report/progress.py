"""Counts a command's events and follows its progress."""

import time
from collections.abc import Callable

from spikecheck.core.events import (
    Busy,
    ClaimFinished,
    ClaimStarted,
    Event,
    RunsRead,
    SettingJudged,
    StageStarted,
    TileAdvanced,
    TileStored,
    WorkDone,
    WorkPlanned,
)
from spikecheck.core.work import READING
from spikecheck.report.pace import Pace
from spikecheck.report.phrases import plural

_A_RUN_READ = 0.003
"""Seconds to read and measure one run on a typical core."""
_SLACK = 2.0
"""Seconds by which an estimate may be wrong, however short the time."""


class Tally:
    """Counts over the whole command, and its progress."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self.pace = Pace(clock)
        self.pace.pause()
        self.claim = self.place = self.stage = ""
        self.doing = "starting"
        """Current work other than training; empty during training."""
        self.claims = 1
        self.judged = self.trained = self.reused = 0
        self.spikes: int | None = None
        """Spikes found; None as long as no run was searched for them."""

    def add(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, Busy):
            self._is_at(event.doing)
        elif isinstance(event, StageStarted | TileAdvanced):
            self._is_at("")
        self._count(event)
        self._measure(event)

    def _count(self, event: Event) -> None:
        """Update the counts and names that are displayed."""
        match event:
            case ClaimStarted():
                self.claim, self.claims, self.stage = event.claim, event.total, ""
                self.place = f"claim {event.position} of {event.total}" if event.total > 1 else ""
            case StageStarted():
                self.stage = stage_says(event)
            case WorkPlanned():
                self.reused += event.runs_reused
            case SettingJudged():
                self.judged += 1
            case TileStored():
                self.trained += event.runs
                self._find(event.spikes)
            case RunsRead():
                self._find(event.spikes)
            case _:
                pass

    def _find(self, spikes: int | None) -> None:
        if spikes is not None:
            self.spikes = (self.spikes or 0) + spikes

    def _measure(self, event: Event) -> None:
        """Update the amounts of work done and left."""
        match event:
            case ClaimStarted():
                self.pace.expect(event.expected, event.after)
            case StageStarted():
                self.pace.enter(event.stage)
            case WorkPlanned():
                self.pace.plan(event.work)
            case TileAdvanced():
                self.pace.advance(event.seconds, event.kind, early=event.early)
            case WorkDone():
                self.pace.advance(event.seconds, event.kind)
            case SettingJudged():
                self.pace.advance(_A_RUN_READ * event.judgement.drawn, READING)
            case ClaimFinished():
                self.pace.finish_claim()
            case _:
                pass

    def _is_at(self, doing: str) -> None:
        self.doing = doing
        (self.pace.pause if doing else self.pace.resume)()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._began

    def progress(self) -> str:
        """Share of the command that is done, with an estimate of the time left as soon as there is one.

        Work other than training is named instead of estimated. Empty if the amount of work is unknown.
        """
        known = [self._done()] if self.pace.announced else []
        return ", ".join([*known, *([f"{self.doing} …"] if self.doing else [])])

    def _done(self) -> str:
        left = None if self.doing else self.pace.time_left
        return f"{100 * self.pace.share:.0f} %" + (f", {time_left(*left)}" if left is not None else "")

    def counts(self) -> str:
        """Settings judged, spikes found, runs trained and reused so far; empty before the first."""
        judged = [f"{plural(self.judged, 'setting')} judged"] if self.judged else []
        spikes = [] if self.spikes is None else [f"{plural(self.spikes, 'spike')} found"]
        runs = (
            [f"{plural(self.trained, 'run')} trained", f"{self.reused:,} reused"] if self.trained or self.reused else []
        )
        return ", ".join([*judged, *spikes, *runs])


def stage_says(event: StageStarted) -> str:
    """A stage's name, with its settings and seeds if it has any."""
    if not event.seeds:
        return event.stage
    return f"{event.stage}, {plural(event.settings, 'setting')} x {plural(event.seeds, 'seed')}"


def time_left(least: float, seconds: float, most: float) -> str:
    """The seconds left in words, or their bounds where they may be wrong by a factor above two and by more than `_SLACK`.

    >>> time_left(30.0, 50.0, 90.0), time_left(10.0, 50.0, 90.0)
    ('about 0:50 left', '0:10 to 1:30 left')
    """
    twice = least >= seconds / 2 and most <= 2 * seconds
    if twice or most - least <= 2 * _SLACK:
        return f"about {clock_time(seconds)} left"
    return f"{clock_time(least)} to {clock_time(most)} left"


def clock_time(seconds: float) -> str:
    """Seconds as minutes and seconds, or hours, minutes and seconds.

    >>> clock_time(7.9), clock_time(3_725)
    ('0:07', '1:02:05')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
