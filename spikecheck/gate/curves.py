"""The loss of many trainings of one setting as a band: what is drawn, and nothing that decides."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikecheck.core.run import Array, Run
from spikecheck.core.scorecard import Band

_STRETCHES = 60
"""Points of a curve: enough for a picture, few enough for a baseline that is read as text."""


def band(runs: Sequence[Run]) -> Band:
    """Of the laboratory's runs of one setting: a loss before every update, and one after the last."""
    return band_of([run.loss for run in runs], runs[0].setting.steps + 1)


def band_of(losses: Sequence[Array], steps: int) -> Band:
    """Median, and the levels between which eight of ten seeds lie, of the largest loss in each stretch of steps.

    `losses` are one array a seed, of `steps` numbers unless the training ended before.
    """
    ends = np.unique(np.linspace(0, steps, min(_STRETCHES, steps) + 1).round().astype(np.int64))
    largest = np.array([_largest(loss, ends) for loss in losses])
    # Quantiles that are one of the values: between a number and an infinite loss there is nothing.
    low, median, high = np.quantile(largest, [0.1, 0.5, 0.9], axis=0, method="inverted_cdf")
    return Band(
        steps=tuple(int(end) - 1 for end in ends[1:]), median=_written(median), low=_written(low), high=_written(high)
    )


def _largest(loss: Array, ends: NDArray[np.int64]) -> Array:
    """The largest loss of each stretch; infinite from where a training that diverged has none."""
    padded = np.full(int(ends[-1]), np.inf)
    padded[: min(len(loss), len(padded))] = loss[: len(padded)]
    largest: Array = np.maximum.reduceat(np.nan_to_num(padded, nan=np.inf, posinf=np.inf), ends[:-1])
    return largest


def _written(values: Array) -> tuple[float | None, ...]:
    """Four digits, as many as a picture shows."""
    return tuple(float(f"{value:.4g}") if np.isfinite(value) else None for value in values)
