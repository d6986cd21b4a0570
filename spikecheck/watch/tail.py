"""A buffer of the last numbers of a series."""

import numpy as np


class Tail:
    """Keeps the last `kept` numbers of a series in one array, so that `last` returns a view."""

    def __init__(self, kept: int) -> None:
        self._kept, self._end = kept, 0
        self._numbers = np.empty(4 * kept)

    def __len__(self) -> int:
        return min(self._end, self._kept)

    def append(self, number: float) -> None:
        """Add a number."""
        if self._end == len(self._numbers):
            self._numbers[: self._kept] = self.last(self._kept)
            self._end = self._kept
        self._numbers[self._end] = number
        self._end += 1

    def last(self, count: int) -> np.ndarray:
        """The newest numbers [at most `count`], oldest first."""
        return self._numbers[self._end - min(count, len(self)) : self._end]

    def drop(self, count: int) -> None:
        """Remove the newest `count` numbers; older ones that are still in the buffer take their place."""
        self._end -= min(count, len(self))

    def clear(self) -> None:
        """Remove all numbers."""
        self._end = 0
