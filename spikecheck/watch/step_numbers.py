"""Which rows of a log count, and the number of each row's step."""

from dataclasses import dataclass

import numpy as np

from spikecheck.core.errors import UsageError
from spikecheck.watch.columns import Columns, ReadColumns

_RESUMED = 0.1
"""Share of the rows that may go back in a log that goes on; a log with more is out of order, and is sorted."""
_MOST_STEPS = 2.0**53
"""From here on a float no longer holds every integer."""


@dataclass(frozen=True)
class NumberedRows:
    """The rows of a log with the numbers of their steps."""

    numbers: np.ndarray
    """[rows], NaN where a row has none."""
    counts: np.ndarray
    """[rows], whether the row has a step and a loss that are not out of date."""
    step: str | None
    """The column of the steps; None where rows were numbered instead."""
    remarks: tuple[str, ...]
    """How rows were numbered and which are left out, one sentence each."""


def numbered_rows(columns: Columns, loss: str, step: str | None) -> NumberedRows:
    """Number the rows of a log.

    Args:
        columns: the log's columns. At least one loss is finite.
        loss: name of the loss column.
        step: name of the step column; None numbers the rows. Rows are numbered as well where no row with a loss has a step.

    Raises:
        UsageError: the step column has fractions.
    """
    # A row without a loss belongs to other columns. An empty cell is NaN as well, so NaN losses are left out.
    losses = columns[loss]
    with_loss = ~np.isnan(losses)
    numbers = np.arange(len(losses), dtype=float) if step is None else columns[step].copy()
    there = with_loss & (np.abs(numbers) < _MOST_STEPS)
    remarks = ["No column has the step (--step NAME): rows are numbered from 0."] if step is None else []
    if step is not None and not np.isfinite(losses[there]).any():
        remarks = [f"{_unusable(numbers[with_loss], step)}: rows are numbered from 0."]
        numbers, there, step = np.arange(len(losses), dtype=float), with_loss, None
    elif step is not None:
        _check_whole(numbers[there], step)
        counted_on = _over_epochs(numbers[there], _epochs(columns, there))
        if counted_on is not None:
            numbers[there] = counted_on
            remarks = [
                f"The column {step} begins again in every epoch: steps are counted on from one epoch to the next."
            ]
        remarks += _without_step(columns, numbers[with_loss & ~there], step)
    counts = there.copy()
    counts[there] = _rows_that_count(numbers[there])
    return NumberedRows(numbers, counts, step, (*_out_of_date(int(there.sum() - counts.sum())), *remarks))


def rows(count: int) -> str:
    """How many rows, as the subject of a sentence about what becomes of them.

    >>> rows(1), rows(1_200)
    ('1 row is', '1,200 rows are')
    """
    return "1 row is" if count == 1 else f"{count:,} rows are"


def is_epoch(name: str) -> bool:
    """Whether a column has the epoch."""
    return name.lower().split("/")[-1] == "epoch"


def _unusable(steps: np.ndarray, name: str) -> str:
    """Why no row with a loss has a step."""
    given = steps[~np.isnan(steps)]
    if len(given):
        return f"Steps of the column {name}, such as {given[0]:.3g}, are too large to be told apart"
    return f"No row with a loss has a step in the column {name}"


def _without_step(columns: Columns, steps: np.ndarray, name: str) -> list[str]:
    """What is said of rows with a loss and without a step; of texts in place of steps something else is said."""
    texts = isinstance(columns, ReadColumns) and columns.texts.get(name)
    missing, large = int(np.isnan(steps).sum()), steps[~np.isnan(steps)]
    sentences = {
        f"{rows(missing)} left out: a loss is there, and no {name}.": missing and not texts,
        f"{rows(len(large))} left out: {name} is too large, such as {large[0] if len(large) else 0.0:.3g}.": len(large),
    }
    return [sentence for sentence, applies in sentences.items() if applies]


def _check_whole(steps: np.ndarray, name: str) -> None:
    fractions = steps[steps % 1 != 0]
    if len(fractions):
        raise UsageError(
            f"--step {name}: has fractions, such as {fractions[0]:g}; name a column of whole numbers, or leave its column out "
            "of the log"
        )


def _epochs(columns: Columns, there: np.ndarray) -> np.ndarray | None:
    """The epoch of each row that has a loss and a step; None where one of them has no epoch."""
    epochs = next((column[there] for name, column in columns.items() if is_epoch(name)), None)
    return epochs if epochs is not None and len(epochs) > 1 and np.isfinite(epochs).all() else None


def _over_epochs(steps: np.ndarray, epochs: np.ndarray | None) -> np.ndarray | None:
    """Steps [R] counted on over the epochs; None where they do not begin again with the epochs.

    They do where they fall while the epoch rises. In a training that was resumed the epoch falls too, or stays. It must happen
    with every other epoch at least: a column called epoch may have the time of day, which rises with every row.
    """
    if epochs is None:
        return None
    moved, passed = np.sign(np.diff(steps)), np.sign(np.diff(epochs))
    begun = len(np.unique(np.floor(epochs))) - 1
    if not begun or (moved.any() and 2 * np.count_nonzero(moved * passed < 0) < begun):
        return None
    whole, resumed = bool(np.all(epochs % 1 == 0)), bool(np.any(passed[moved < 0] <= 0))
    if resumed and not whole:  # where in an epoch of that length it was resumed is not known
        return None
    earlier = epochs - epochs.min() if whole else np.append(0, np.cumsum(moved < 0))
    counted_on: np.ndarray = steps + earlier * (np.ptp(steps) + _interval(steps))
    return counted_on


def _interval(steps: np.ndarray) -> float:
    """The usual distance of two rows in steps."""
    forward = np.diff(steps)[np.diff(steps) > 0]
    return float(np.sort(forward)[len(forward) // 2]) if len(forward) else 1.0


def _rows_that_count(steps: np.ndarray) -> np.ndarray:
    """Whether each row [R] counts: of rows with one step the last.

    A log that goes on, and now and then back, is of a training that was resumed or begun again. Where it goes back, what it
    had of later steps is out of date.
    """
    count = len(steps)
    back = np.flatnonzero(np.diff(steps) < 0) + 1
    restarts = np.full(count + 1, np.inf)
    if len(back) <= _RESUMED * count:
        restarts[back] = steps[back]
    earliest_later = np.minimum.accumulate(restarts[::-1])[::-1][1:]
    last = np.zeros(count, dtype=bool)
    last[count - 1 - np.unique(steps[::-1], return_index=True)[1]] = True
    return last & (steps < earliest_later)


def _out_of_date(count: int) -> list[str]:
    if not count:
        return []
    return [f"{rows(count)} left out: the log goes back to an earlier step, or has a step twice. The later rows count."]
