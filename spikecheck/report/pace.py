"""Estimates how much of a command is done and how long the rest takes.

Every part of the work comes with its expected seconds on a typical core. The real time of the finished parts sets the scale,
so the estimate needs no knowledge of machine, workers and device.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_FEW_SECONDS = 3.0
"""Less work gives no estimate."""
_TELLING = 0.05
"""Share of the command after which an estimate is given."""
_LONG_ENOUGH = 20.0
"""Seconds of work after which an estimate is given, however small their share."""
_SHOWING = 2.5
"""Seconds from the last training to the end of the command, on any machine."""
CERTAIN_STAGES = ("reference", "search", "beside", "reach")
"""Stages whose work is known from the start, in their order: only of these, anything is trained early."""
_OF_A_CLAIM, _OF_A_CALL = 6.0, 2.0
"""Weights of the speed so far against that of the current claim, and of that against the current call's, in seconds of a
typical core. Claims differ: one trains many tiles at once, another one large tile after the other, with one core idle."""
_BEFORE = 2.0
"""Before anything is measured, work is taken to need its expected time, as if so many seconds of it had been seen. The first
steps of a command are slow: workers load, caches are empty."""


@dataclass(frozen=True)
class _Stretch:
    """Clock, idle time and work done at the start of a stretch, in seconds."""

    began: float
    lost: float = 0.0
    done: float = 0.0


class Pace:
    """Progress of one command. Amounts of work are seconds of a typical core; times are seconds of the clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.done = 0.0
        self.claim_left = self.after = 0.0
        """Known work left in the current claim, and in the claims after it."""
        self.call_left = 0.0
        """Work left in the current training call."""
        self.announced = False
        """Whether the amount of work was announced."""
        self._stages: dict[str, float] = {}
        """Expected work of each stage of the current claim, without what was done early."""
        self._to_come: list[str] = []
        """The current stage and those after it."""
        self._clock = clock
        self._share = 0.0
        self._idle: float | None = None
        """Time since which nothing is trained; None during training."""
        self._lost = 0.0
        """Total time without training."""
        self._whole = self._claim = self._call = _Stretch(clock())

    def expect(self, stages: Sequence[tuple[str, float]], after: float) -> None:
        """Begin a claim: its stages with their expected work, and the work of the claims after it."""
        self._stages = dict(stages)
        self._to_come = list(self._stages)
        self.claim_left, self.after, self.call_left = sum(self._stages.values()), after, 0.0
        self._claim = self._from_now()
        self.announced = True

    def enter(self, stage: str) -> None:
        """Begin a stage; the stages before it count as done. A repeated stage takes its expected work again."""
        names = list(self._stages)
        if stage in names:
            self._to_come = names[names.index(stage) :]
            self.claim_left = sum(self._stages[name] for name in self._to_come)

    def plan(self, seconds: float) -> None:
        """Begin a training call with this expected work."""
        self.call_left = seconds
        self._call = self._from_now()

    def advance(self, seconds: float, *, early: bool = False) -> None:
        """Count finished work; `early` work belongs to the stages to come, and then to later claims."""
        self.done += seconds
        if early:
            self.after = max(self.after - self._count_early(seconds), 0.0)
        else:
            self.claim_left = max(self.claim_left - seconds, 0.0)
            self.call_left = max(self.call_left - seconds, 0.0)

    def _count_early(self, seconds: float) -> float:
        """Take early work from the stages to come; returns what is more than they need."""
        for stage in self._to_come:
            part = min(seconds, self._stages[stage]) if stage in CERTAIN_STAGES else 0.0
            self._stages[stage] -= part
            self.claim_left = max(self.claim_left - part, 0.0)
            seconds -= part
        return seconds

    def finish_claim(self) -> None:
        """End the current claim: nothing of its expected work is left."""
        self.claim_left = self.call_left = 0.0

    def pause(self) -> None:
        """From now on, time does not count as planned work."""
        if self._idle is None:
            self._idle = self._clock()

    def resume(self) -> None:
        """Planned work continues."""
        if self._idle is not None:
            self._lost += self._clock() - self._idle
            self._idle = None

    @property
    def left(self) -> float:
        """Known work left, including writing the report."""
        return max(self.claim_left, self.call_left) + self.after + _SHOWING

    @property
    def share(self) -> float:
        """Share of the command that is done, in [0, 1]. It never falls, even if there is more work than expected."""
        known = self.done + self.left
        self._share = max(self._share, self.done / known if self.done > 0 else 0.0)
        return self._share

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds until the end, by the clock; None if too little is done for an estimate."""
        worked = self._worked(self._whole)
        enough = worked >= _LONG_ENOUGH or (worked >= _FEW_SECONDS and self.share >= _TELLING)
        if not enough or self.done <= 0:
            return None
        usual = (worked + _BEFORE) / (self.done + _BEFORE)
        of_claim = self._speed(self._claim, usual, _OF_A_CLAIM)
        of_call = self._speed(self._call, of_claim, _OF_A_CALL)
        rest = max(self.claim_left - self.call_left, 0.0)
        return self.call_left * of_call + rest * of_claim + self.after * usual + _SHOWING

    def _speed(self, since: _Stretch, before: float, weight: float) -> float:
        """Seconds by the clock for a second of work since then; as long as little is done, about `before`."""
        return (self._worked(since) + weight * before) / (self.done - since.done + weight)

    def _from_now(self) -> _Stretch:
        idle = self._clock() - self._idle if self._idle is not None else 0.0
        return _Stretch(self._clock(), self._lost + idle, self.done)

    def _worked(self, since: _Stretch) -> float:
        idle = self._clock() - self._idle if self._idle is not None else 0.0
        return self._clock() - since.began - (self._lost - since.lost) - idle
