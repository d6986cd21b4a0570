"""What the curvature says about the loss: at which steps it rises, and whether a lower loss is sharper.

Trials have an `Anatomy` of W recorded steps.
"""

import numpy as np

from spikecheck.core.run import Array
from spikecheck.effects.ascent import Steps, ascending, onset, peak
from spikecheck.harness.claim import Trial
from spikecheck.harness.plants import with_record
from spikecheck.measures import balanced_agreement, spearman


def tells(trial: Trial, curvature: Array, *, fewest: int) -> float:
    """How well a curvature [W] above the threshold agrees with a rising loss at the steps up to the peak, in [0, 1].

    Args:
        trial: with an `Anatomy`.
        curvature: one number a recorded step.
        fewest: rising steps, and falling ones; with fewer of either it is nan.
    """
    at = peak(trial)
    return balanced_agreement(curvature[:at] > trial.threshold, _rises(trial), fewest)


def _rises(trial: Trial) -> Steps:
    rises: Steps = np.diff(trial["run"].records["anatomy"]["loss"][: peak(trial) + 1]) > 0
    return rises


def _best(trial: Trial, curvature: Array, fewest: int) -> float:
    """The same with the best of all cut-offs in place of the threshold."""
    at, rises = peak(trial), _rises(trial)
    return max(balanced_agreement(curvature[:at] > cut, rises, fewest) for cut in curvature[:at])


def gradient_tells_more(trial: Trial, *, fewest: int) -> float:
    """Agreement of gHg/gg > 2/lr with a rising loss, minus that of lambda_max above its best cut-off, in [-1, 1].

    `fewest` as in `tells`.
    """
    record = trial["run"].records["anatomy"]
    return tells(trial, record["gradient_curvature"], fewest=fewest) - _best(trial, record["sharpness"][:, 0], fewest)


def gradient_tells_more_by_the_threshold(trial: Trial, *, fewest: int) -> float:
    """Agreement of gHg/gg > 2/lr with a rising loss, minus that of lambda_max > 2/lr, in [-1, 1]; `fewest` as in `tells`."""
    record = trial["run"].records["anatomy"]
    both = (record["gradient_curvature"], record["sharpness"][:, 0])
    gradient, largest = (tells(trial, curvature, fewest=fewest) for curvature in both)
    return gradient - largest


def gradient_over_largest(trial: Trial) -> float:
    """Largest ratio of gHg/gg to lambda_max over the record: above 1 for no symmetric matrix."""
    record = trial["run"].records["anatomy"]
    return float(np.max(record["gradient_curvature"] / record["sharpness"][:, 0]))


def strangers_gradient_tells_more(trial: Trial, *, fewest: int) -> float:
    """The same with another seed's curvature along its gradient, the two onsets aligned.

    As `gradient_tells_more`; nan without another seed.
    """
    if trial.other is None:
        return float("nan")
    mine, theirs = (one["run"].records["anatomy"] for one in (trial, trial.other))
    at = np.arange(len(mine["steps"])) + onset(trial.other) - onset(trial)
    curvature = theirs["gradient_curvature"][np.clip(at, 0, len(theirs["steps"]) - 1)]
    return tells(trial, curvature, fewest=fewest) - _best(trial, mine["sharpness"][:, 0], fewest)


def telling(trial: Trial) -> Trial:
    """gHg/gg lies a fifth above 2/lr, or at lambda_max, where the loss rises, and a fifth below where it falls."""
    record = trial["run"].records["anatomy"]
    rises = np.diff(record["loss"], append=0.0) > 0
    curvature = np.minimum(trial.threshold * np.where(rises, 1.2, 0.8), record["sharpness"][:, 0])
    return with_record(trial, "run", "anatomy", gradient_curvature=curvature)


def lower_is_sharper(trial: Trial, *, longest: int) -> float:
    """Spearman's rho of loss and sharpness over the at most {longest} steps before the ascent starts, in [-1, 1]."""
    rise = ascending(trial, trial.threshold)
    if rise is None:
        return float("nan")
    return _association(trial, slice(max(0, rise.start - longest), rise.start))


def lower_is_sharper_after(trial: Trial, *, longest: int) -> float:
    """The same over the recorded steps, at most {longest}, after the peak."""
    at = peak(trial)
    return _association(trial, slice(at, at + longest))


def _association(trial: Trial, window: slice) -> float:
    record = trial["run"].records["anatomy"]
    return spearman(record["loss"][window], record["sharpness"][window, 0])


def lower_made_sharper(trial: Trial) -> Trial:
    """Before the ascent the sharpness is made to fall with the loss's rank, with noise of a tenth of its range."""
    record, sharpness = trial["run"].records["anatomy"], trial["run"].records["anatomy"]["sharpness"].copy()
    rise = ascending(trial, trial.threshold)
    if rise is None:
        return trial
    ranks = record["loss"][: rise.start].argsort().argsort() / rise.start
    noise = np.random.default_rng(trial.seed).normal(scale=0.03, size=rise.start)
    sharpness[: rise.start, 0] = trial.threshold * (0.9 - 0.3 * ranks + noise).clip(max=0.99)
    return with_record(trial, "run", "anatomy", sharpness=sharpness)
