"""Progressive sharpening: whether its rate predicts when the sharpness crosses its threshold, and which runs spike."""

import numpy as np

from spikecheck.core.run import Array
from spikecheck.effects.ascent import onset
from spikecheck.harness.claim import Trial
from spikecheck.harness.plants import with_record
from spikecheck.measures import crossing

MOST = float(np.log(8.0))
"""Stands for a prediction that is wrong by a factor of eight or more, such as a rate that is not positive."""


def passes(trial: Trial, *, below: float) -> tuple[int | None, int | None]:
    """The steps, before the first spike, at which the sharpness passes `below` times its threshold and the threshold.

    In steps since the record, an `Anatomy`, began; None where it does not.
    """
    sharpness = trial["run"].records["anatomy"]["sharpness"][:, 0]
    crossed = crossing(sharpness, trial.threshold, onset(trial))
    return (None if crossed is None else crossing(sharpness, below * trial.threshold, crossed)), crossed


def _error(trial: Trial, sharpness: Array, window: int, below: float, most: float) -> float:
    passed, crossed = passes(trial, below=below)
    if passed is None or crossed is None or not window <= passed < crossed:
        return float("nan")
    rate = float(np.polyfit(np.arange(window), sharpness[passed - window : passed], 1)[0])
    if rate <= 0:
        return most
    return float(np.clip(np.log((1 - below) * trial.threshold / rate / (crossed - passed)), -most, most))


def crossing_error(trial: Trial, *, window: int, below: float, most: float = MOST) -> float:
    """Log of the predicted over the real number of steps from `below` times the threshold to its crossing.

    In [-most, most]; nan where the crossing is not recorded.

    Args:
        trial: with an `Anatomy`.
        window: steps before the passing that a straight line is fitted to, at least 2.
        below: where the rate is measured, in units of the threshold, in (0, 1).
        most: stands for a worse prediction, such as from a rate that is not positive.
    """
    return _error(trial, trial["run"].records["anatomy"]["sharpness"][:, 0], window, below, most)


def crossing_error_by_a_stranger(trial: Trial, *, window: int, below: float, most: float = MOST) -> float:
    """The same with the rate of another seed's run, as many steps before its own onset.

    nan without another seed.
    """
    if trial.other is None:
        return float("nan")
    mine, theirs = (one["run"].records["anatomy"]["sharpness"][:, 0] for one in (trial, trial.other))
    shift = onset(trial.other) - onset(trial)
    at = np.clip(np.arange(len(mine)) + shift, 0, len(theirs) - 1)
    return _error(trial, theirs[at], window, below, most)


def a_ramp(trial: Trial) -> Trial:
    """The sharpness rises linearly from half of 2/lr to a tenth above it, up to the onset, with noise of 0.2 %."""
    end = onset(trial)
    sharpness = trial["run"].records["anatomy"]["sharpness"].copy()
    drawn = np.random.default_rng(trial.seed).normal(scale=0.002, size=end)
    sharpness[:end, 0] = trial.threshold * (np.linspace(0.5, 1.1, end) + drawn)
    return with_record(trial, "run", "anatomy", sharpness=sharpness)


def seen(trial: Trial, *, read: float) -> tuple[Array, Array]:
    """Steps [C] and sharpness [C] at the checkpoints of a `SharpnessTrace` up to the part `read`, in (0, 1], of the run."""
    record = trial["run"].records["sharpness"]
    early = record["steps"] <= read * trial.setting.steps
    return record["steps"][early], record["sharpness"][early, 0]


def _foretold(trial: Trial, read: float, line: float) -> bool:
    """Whether the line crosses the threshold before the training ends."""
    steps, sharpness = seen(trial, read=read)
    recent = steps >= (read - line) * trial.setting.steps
    rate, level = np.polyfit(steps[recent] - steps[-1], sharpness[recent], 1)
    return bool(level + rate * (trial.setting.steps - steps[-1]) > trial.threshold)


def _right(trial: Trial, foretold: bool) -> float:
    return 1.0 if foretold == trial.trunk.has_spike else -1.0


def foretold_rightly(trial: Trial, *, read: float, line: float) -> float:
    """1 where the prediction made half-way, spike or no spike, is right; else -1.

    Args:
        trial: with a `SharpnessTrace`.
        read: the part of the training in which the sharpness is used, in (0, 1); a half is half-way.
        line: the last part of this that a straight line is fitted to, in (0, read].
    """
    return _right(trial, _foretold(trial, read, line))


def foretold_by_a_stranger(trial: Trial, *, read: float, line: float) -> float:
    """The same, predicted from another seed's sharpness.

    nan without another seed.
    """
    return float("nan") if trial.other is None else _right(trial, _foretold(trial.other, read, line))


def a_tell_tale(trial: Trial) -> Trial:
    """A linear sharpness, noise of 1 %: to a tenth above 2/lr where the training spikes, else to a tenth below."""
    record = trial["run"].records["sharpness"]
    end = 1.1 if trial.trunk.has_spike else 0.9
    path = 0.3 + (end - 0.3) * record["steps"] / trial.setting.steps
    drawn = np.random.default_rng(trial.seed).normal(scale=0.01, size=len(path))
    return with_record(trial, "run", "sharpness", sharpness=trial.threshold * (path + drawn)[:, None])
