"""What has happened so far while claims are verified, added up from events."""

import time
from collections.abc import Callable

from spikecheck.core.events import (
    ClaimStarted,
    Event,
    SettingJudged,
    StageStarted,
    TileAdvanced,
    TileStored,
    WorkPlanned,
)
from spikecheck.report.words import plural

_TELLING = 0.02
"""Share of the work below which the time that it took says nothing about the rest."""


class Tally:
    """Counts over the whole verification, and the progress of the stage under way; times in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._stage_began = clock()
        self.claim = self.place = self.stage = ""
        self.claims = 1
        self.planned = self.made = 0
        """Member-steps of the stage under way."""
        self.judged = self.spikes = self.trained = self.reused = 0
        self._started = ClaimStarted("", 1, 1)
        self._judged_before = self._pending = 0

    def add(self, event: Event) -> None:
        """Count one event."""
        match event:
            case ClaimStarted():
                self.claim, self.claims = event.claim, event.total
                self.place, self.stage = f"claim {event.position} of {event.total}", "starting"
                self._started, self._judged_before = event, self.judged
            case StageStarted():
                self.stage, self._pending = stage_says(event), event.settings
                self.planned = self.made = 0
                self._stage_began = self._clock()
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
                self._pending -= 1
            case _:
                pass

    @property
    def elapsed(self) -> float:
        """Since the beginning."""
        return self._clock() - self._began

    @property
    def progress(self) -> float:
        """Share of all the expected work that is done, in [0, 1]: by settings judged, and by parts of those under way."""
        trained = max(self._pending, 0) * min(self.made / max(self.planned, 1), 1.0)
        within = min((self.judged - self._judged_before + trained) / self._started.settings, 1.0)
        return min(self._started.before + self._started.share * within, 1.0)

    def overall(self) -> str:
        """Progress through all claims, with an estimate of the time left once there is something to go by."""
        done = self.progress
        left = f", about {clock_time(self.elapsed * (1 - done) / done)} left" if done > _TELLING else ""
        return f"{100 * done:.0f} % of all{left}"

    @property
    def rate(self) -> float:
        """Member-steps per second in the stage under way."""
        return self.made / max(self._clock() - self._stage_began, 1e-9)

    @property
    def left(self) -> float | None:
        """Until what is planned of this stage is done; None where that can't be said yet."""
        return max(self.planned - self.made, 0) / self.rate if self.made else None

    def speed(self) -> str:
        """Progress through the stage in words; empty while nothing is trained."""
        if not self.made:
            return ""
        left = clock_time(self.left or 0.0)
        return f"{min(100 * self.made // max(self.planned, 1), 100)} %, {left} left, {self.rate:,.0f} member-steps/s"

    def counts(self) -> str:
        """What was found so far."""
        return (
            f"{plural(self.judged, 'setting')} judged, {plural(self.spikes, 'spike')} found, "
            f"{plural(self.trained, 'run')} trained, {self.reused:,} reused"
        )


def stage_says(event: StageStarted) -> str:
    """A stage with its size."""
    return f"{event.stage}, {plural(event.settings, 'setting')} x {plural(event.seeds, 'seed')}"


def clock_time(seconds: float) -> str:
    """Seconds as a clock shows them.

    >>> clock_time(7.9), clock_time(3_725)
    ('0:07', '1:02:05')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
