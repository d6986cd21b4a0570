"""Estimates how much of a command is done and how long the rest takes.

Every part of the work comes with its kind and its expected seconds on a typical core. How long a kind really takes is measured
while it is done, so the estimate needs no knowledge of machine, workers and device. As long as a kind was not done, or results
may add work, the time left is known within wide bounds only.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import hypot
from typing import NamedTuple

from spikecheck.core.work import TRAINING, Expected, Work, total

_FEW_SECONDS = 3.0
"""After less work nothing is said of the time left."""
_SHOWING = 1.5
"""Seconds by the clock from the last training to the end of the command, in which a report is built and written: 0.6 to 2.5 in
thirty recorded commands."""
CERTAIN_STAGES = ("reference", "search", "beside", "reach")
"""Stages whose work is known from the start, in their order: only of these, anything is trained early."""
_UNMEASURED = 3.0
"""Factor by which a kind of work may be faster or slower than the others of its command. Assumed: in the recorded progress of
four commands, kinds took 0.14 to 2 times their expected seconds."""
_AT_LEAST = 1.25
"""The same for a kind that was measured for long: settings and seeds differ."""
_ANOTHER = 2.5
"""The same for a claim to come, whatever its kinds took in this one: it has other settings, and batches that are filled
otherwise. In the recorded progress of two commands with eleven and three claims, one kind of fork took 0.04 to 0.43 of its
expected seconds, from claim to claim."""
_BEFORE = 2.0
"""Seconds of work after which a measured speed weighs as much as what was assumed before it: the first steps of a command are
slow, as workers load and caches are empty."""


@dataclass
class _Measured:
    """How long one kind of work has taken. Later work weighs more, by the square of the time: conditions and load change."""

    work: float = 0.0
    clock: float = 0.0
    weighed_work: float = 0.0
    weighed_clock: float = 0.0

    def add(self, work: float, clock: float) -> None:
        """Count finished work and the seconds that it took."""
        kept = (self.clock / (self.clock + clock)) ** 2 if clock > 0 else 1.0
        self.weighed_work = kept * self.weighed_work + work
        self.weighed_clock = kept * self.weighed_clock + clock
        self.work += work
        self.clock += clock

    def slowness(self, usual: float) -> float:
        """Seconds by the clock for a second of work; about `usual` as long as little is done."""
        return (self.weighed_clock + _BEFORE) / (self.weighed_work + _BEFORE / usual)

    @property
    def doubt(self) -> float:
        """Factor by which that may be wrong, in [`_AT_LEAST`, `_UNMEASURED`]."""
        return max(_AT_LEAST, float(_UNMEASURED ** (_BEFORE / (self.clock + _BEFORE))))


class _Left(NamedTuple):
    """What is left of one stage."""

    certain: dict[str, float]
    possible: dict[str, float]


class TimeLeft(NamedTuple):
    """Seconds by the clock that something is likely to take, and bounds."""

    least: float
    seconds: float
    most: float


class Pace:
    """Progress of one command. Amounts of work are seconds of a typical core; times are seconds of the clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.announced = False
        """Whether the amount of work was announced."""
        self._stages: dict[str, _Left] = {}
        """What is left of the current stage and of those after it, in this claim."""
        self._call: dict[str, float] = {}
        """Work left in the current training call."""
        self._after: list[_Left] = []
        """Expected work of each claim after the current one."""
        self._kinds: dict[str, _Measured] = {}
        self._all = _Measured()
        self._clock = clock
        self._began, self._lost, self._reported = clock(), 0.0, 0.0
        """Start of the command, total time without planned work, and time of work at the last report."""
        self._idle: float | None = None
        """Time since which no planned work is done; None during work."""
        self._share = 0.0

    def expect(self, stages: Sequence[tuple[str, Expected]], after: Sequence[Expected] = ()) -> None:
        """Begin a claim: its stages with their expected work, and the work of the claims after it."""
        self._stages = {name: _left(work) for name, work in stages}
        self._after, self._call = list(map(_left, after)), {}
        self.announced = True

    def enter(self, stage: str) -> None:
        """Begin a stage, or repeat it; the stages before it count as done. Controls belong to the stage before them."""
        if stage in self._stages:
            names = list(self._stages)
            self._stages = {name: self._stages[name] for name in names[names.index(stage) :]}

    def plan(self, work: Work) -> None:
        """Begin a training call with this expected work."""
        self._call = dict(work)

    def advance(self, seconds: float, kind: str = TRAINING, *, early: bool = False) -> None:
        """Count finished work; `early` work belongs to the stages to come, and then to later claims."""
        clock = self._worked - self._reported
        self._reported += clock
        for measured in (self._all, self._kinds.setdefault(kind, _Measured())):
            measured.add(seconds, clock)
        if early:
            certain = [left for stage, left in self._stages.items() if stage in CERTAIN_STAGES]
            _take(seconds, kind, *(left.certain for left in [*certain, *self._after]))
        else:
            _take(seconds, kind, self._call)
            _take(seconds, kind, *(part for left in list(self._stages.values())[:1] for part in left))

    def finish_claim(self) -> None:
        """End the current claim: nothing of its expected work is left."""
        self._stages, self._call = {}, {}

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
    def share(self) -> float:
        """Share of the command that is done, in [0, 1]. It never falls, even if there is more work than expected."""
        done = self._all.work
        later = (part for left in self._after for part in left)
        left = sum(total(self._here, *(one.possible for one in self._stages.values()), *later).values()) + _SHOWING
        self._share = max(self._share, done / (done + left))
        return self._share

    @property
    def time_left(self) -> TimeLeft | None:
        """The seconds by the clock until the end, and their bounds; None if too little is done to say.

        The errors of kinds and of claims are taken to be independent, and what a stage may add to lie between nothing and
        twice its likely amount. Between two reports of finished work the seconds count down, at most to the half.
        """
        if self._worked < _FEW_SECONDS or self._all.work <= 0:
            return None
        parts = [*self._parts_here(), *self._parts_later()]
        likely = sum(part.seconds for part in parts)
        less = hypot(*(part.seconds - part.least for part in parts))
        more = hypot(*(part.most - part.seconds for part in parts))
        doubt, since = self._all.doubt, self._worked - self._reported
        least, most = (likely - less) / doubt, (likely + more) * doubt
        return TimeLeft(*(max(seconds - since, seconds / 2) + _SHOWING for seconds in (least, likely, most)))

    def _parts_here(self) -> Iterator[TimeLeft]:
        """What is left of this claim: kind by kind what will be done, and stage by stage what may be added."""
        for kind, seconds in self._by_the_clock(self._here).items():
            doubt = self._kinds.get(kind, _Measured()).doubt
            yield TimeLeft(seconds / doubt, seconds, seconds * doubt)
        for left in self._stages.values():
            seconds = self._seconds(left.possible)
            yield TimeLeft(0.0, seconds, 2 * seconds)

    def _parts_later(self) -> Iterator[TimeLeft]:
        """The same of each claim after it."""
        for left in self._after:
            certain, possible = self._seconds(left.certain), self._seconds(left.possible)
            yield TimeLeft(certain / _ANOTHER, certain, certain * _ANOTHER)
            yield TimeLeft(0.0, possible, 2 * possible)

    @property
    def _usual(self) -> float:
        """Seconds by the clock for a second of work, of whatever kind."""
        return self._all.slowness(1.0)

    def _by_the_clock(self, work: Work) -> Work:
        """The seconds that so much work is likely to take."""
        usual = self._usual
        return {kind: seconds * self._kinds.get(kind, _Measured()).slowness(usual) for kind, seconds in work.items()}

    def _seconds(self, work: Work) -> float:
        return sum(self._by_the_clock(work).values())

    @property
    def _here(self) -> Work:
        """Work left of this claim that will be done: what was expected, or what the current call needs if that is more."""
        expected = total(*(left.certain for left in self._stages.values()))
        kinds = expected.keys() | self._call.keys()
        return {kind: max(expected.get(kind, 0.0), self._call.get(kind, 0.0)) for kind in kinds}

    @property
    def _worked(self) -> float:
        """Seconds of planned work so far."""
        idle = self._clock() - self._idle if self._idle is not None else 0.0
        return self._clock() - self._began - self._lost - idle


def _left(work: Expected) -> _Left:
    return _Left(dict(work.certain), dict(work.possible))


def _take(seconds: float, kind: str, *parts: dict[str, float]) -> None:
    """Take finished work from the parts in turn, from each at most what is left of it."""
    for part in parts:
        taken = min(seconds, part.get(kind, 0.0))
        if taken:
            part[kind] -= taken
        seconds -= taken
