"""The state of every worker process, in memory shared with the parent: the parent reads it without waiting."""

from collections import Counter
from collections.abc import Iterator
from multiprocessing.context import BaseContext
from typing import Any, Self

from spikecheck.core.activity import tell

Numbers = Any
"""Shared memory, an array or one number; multiprocessing has no public name for these types."""
_COLUMNS = 3
_STARTING, _TRAINING, _BUSY, _IDLE = 0.0, 1.0, 2.0, 3.0


class Board:
    """One row per worker: the number of its job, the member-steps made of that job, and the worker's state."""

    def __init__(self, context: BaseContext, workers: int) -> None:
        # No lock: a worker killed while holding one would block its parent for ever.
        self.shared: tuple[Numbers, Numbers] = (context.RawArray("d", _COLUMNS * workers), context.Value("i", 0))
        self._workers = workers
        self._told: Counter[int] = Counter()
        self._said = ""

    def made(self) -> Iterator[tuple[int, int]]:
        """Yield each job's number and the member-steps made of it since the last call."""
        for number, made, _ in self._rows():
            if (new := int(made) - self._told[int(number)]) > 0:  # it may begin its next job during the read
                self._told[int(number)] += new
                yield int(number), new

    def tell_what_else(self) -> None:
        """Report what the workers do while none of them trains: starting, or compiling."""
        states = {state for _, _, state in self._rows()}
        starting = f"starting {self._workers} workers" if states == {_STARTING} else ""
        doing = "compiling" if _BUSY in states and _TRAINING not in states else starting
        if doing != self._said:
            self._said = doing
            tell(doing)

    def _rows(self) -> list[tuple[float, ...]]:
        numbers = self.shared[0][:]
        return [tuple(numbers[first : first + _COLUMNS]) for first in range(0, len(numbers), _COLUMNS)]


class Row:
    """A worker's own row, as the worker sees it."""

    def __init__(self, numbers: Numbers, first: int) -> None:
        self._numbers, self._first = numbers, first

    @classmethod
    def taken_from(cls, numbers: Numbers, taken: Numbers) -> Self:
        """Take the next free row."""
        with taken.get_lock():
            taken.value += 1
            return cls(numbers, _COLUMNS * (taken.value - 1))

    def begin(self, number: int) -> None:
        """Note that a job begins."""
        self._numbers[self._first + 1] = 0  # set before the number, so that no job shows its predecessor's steps
        self._numbers[self._first] = number
        self._numbers[self._first + 2] = _TRAINING

    def advance(self, member_steps: int) -> None:
        """Add member-steps made of the current job."""
        self._numbers[self._first + 1] += member_steps

    def end(self) -> None:
        """Note that the job is done."""
        self._numbers[self._first + 2] = _IDLE

    def tell(self, doing: str) -> None:
        """Note what this worker does instead of training; an empty text means that it trains again."""
        self._numbers[self._first + 2] = _BUSY if doing else _TRAINING
