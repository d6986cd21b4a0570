"""How much of a command is done and how long the rest will take, from what its parts were expected to take.

Every part of the work is told with the seconds that a usual core would take for it. How long the parts done so far really took
sets the scale, so that machines, workers and devices need not be known.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_FEW_SECONDS = 3.0
"""Work of less says nothing about the rest."""
_TELLING = 0.05
_LONG_ENOUGH = 20.0
"""Seconds of work after which an estimate is given however little of the whole they are."""
_SHOWING = 2.5
"""Seconds from the last training to the end of the command, on whatever machine."""
_OWN = 2.0
"""Seconds of a usual core that the speed so far weighs beside that of the part under way."""


@dataclass(frozen=True)
class _Stretch:
    """What the clock and the counts were when it began."""

    began: float
    lost: float = 0.0
    done: float = 0.0


class Pace:
    """Progress over one command. All amounts are seconds of a usual core; times are the clock's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.done = 0.0
        self.claim_left = self.after = 0.0
        """Of the claim under way, as far as is known, and of those behind it."""
        self.call_left = 0.0
        """Of what is being trained now."""
        self.foretold = False
        """Whether anybody said how much there is to do."""
        self._stages: dict[str, float] = {}
        """Of the claim under way, with what each was expected to take."""
        self._clock = clock
        self._share = 0.0
        self._idle: float | None = None
        """Since when nothing is being trained; None while something is."""
        self._lost = 0.0
        """How long that was, all together."""
        self._whole = self._call = _Stretch(clock())

    def expect(self, stages: Sequence[tuple[str, float]], after: float) -> None:
        """A claim begins whose stages will take so much, with so much behind it."""
        self._stages = dict(stages)
        self.claim_left, self.after, self.call_left = sum(self._stages.values()), after, 0.0
        self.foretold = True

    def enter(self, stage: str) -> None:
        """A stage begins: those before it are over, whatever was expected of them. One begun again takes as much again."""
        names = list(self._stages)
        if stage in names:
            self.claim_left = sum(self._stages[name] for name in names[names.index(stage) :])

    def plan(self, seconds: float) -> None:
        """So much will be trained now."""
        self.call_left = seconds
        self._call = _Stretch(self._clock(), self._lost, self.done)

    def advance(self, seconds: float, *, early: bool = False) -> None:
        """So much was done; `early` is what belongs to claims behind this one."""
        self.done += seconds
        if early:
            self.after = max(self.after - seconds, 0.0)
        else:
            self.claim_left = max(self.claim_left - seconds, 0.0)
            self.call_left = max(self.call_left - seconds, 0.0)

    def finish_claim(self) -> None:
        """Whatever was expected of it, nothing is left."""
        self.claim_left = self.call_left = 0.0

    def pause(self) -> None:
        """What goes on from now is no work that was planned."""
        if self._idle is None:
            self._idle = self._clock()

    def resume(self) -> None:
        """Work goes on."""
        if self._idle is not None:
            self._lost += self._clock() - self._idle
            self._idle = None

    @property
    def left(self) -> float:
        """What is still to be done, as far as is known; to show what was found is a part of it."""
        return max(self.claim_left, self.call_left) + self.after + _SHOWING

    @property
    def share(self) -> float:
        """Share of the command that is done, in [0, 1]; it never falls, even where more turns up than was expected."""
        known = self.done + self.left
        self._share = max(self._share, self.done / known if self.done > 0 else 0.0)
        return self._share

    @property
    def seconds_left(self) -> float | None:
        """Until all is done, by the clock; None while too little is done to tell."""
        worked = self._worked(self._whole)
        enough = worked >= _LONG_ENOUGH or (worked >= _FEW_SECONDS and self.share >= _TELLING)
        if not enough or self.done <= 0:
            return None
        usual = worked / self.done
        own, made = self._worked(self._call), self.done - self._call.done
        now = (own + _OWN * usual) / (made + _OWN)
        return self.call_left * now + (self.left - self.call_left - _SHOWING) * usual + _SHOWING

    def _worked(self, since: _Stretch) -> float:
        idle = self._clock() - self._idle if self._idle is not None else 0.0
        return self._clock() - since.began - (self._lost - since.lost) - idle
