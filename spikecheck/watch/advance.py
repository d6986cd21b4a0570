"""The steps that trainings have made, counted for a display, and the time after which they stop."""

import time
from collections.abc import Callable

from spikecheck.core.errors import BudgetSpent


class Advance:
    """A `Progress` for `train_all`: passes on the new steps of each training, and stops all when the time is used up."""

    def __init__(self, trainings: int, deadline: float | None, made: Callable[[int, int], None]) -> None:
        """Start at step 0 of every training.

        Args:
            trainings: how many there are.
            deadline: a value of `time.monotonic()`; None for no limit.
            made: called with a training's position, from 0, and the number of its steps that were not counted before.
        """
        self._steps = [0] * trainings
        self._deadline, self._made = deadline, made

    def __call__(self, place: int, steps: int) -> None:
        """Count that training `place` has made `steps` steps since its start.

        Raises:
            BudgetSpent: when the deadline has passed.
        """
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise BudgetSpent("--budget: the time is used up; trained runs are stored, and the same command continues")
        new = steps - self._steps[place]
        if new > 0:
            self._steps[place] = steps
            self._made(place, new)
