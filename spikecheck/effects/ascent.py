"""The ascent of a spike: its rate, which steps grow and which decay, and where growth begins.

Trials have an `Anatomy`: W recorded steps and K eigenpairs. `pair` counts eigenpairs from 0, the largest eigenvalue first.
"""

import numpy as np
from numpy.typing import NDArray

from spikecheck.core.run import Array
from spikecheck.harness.claim import Trial
from spikecheck.harness.plants import with_record
from spikecheck.measures import (
    ascent,
    balanced_agreement,
    displacement_r2,
    growth,
    rate_error,
    turning_point,
)

Steps = NDArray[np.bool_]

LOWEST, HIGHEST = 1.7, 2.15
"""Range of lr x sharpness in which steps count: below, a displacement soon vanishes in rounding; above, it is soon large."""
SMALL = 2.0
"""Largest loss, over the first recorded one, at which a displacement counts as small."""


def onset(trial: Trial) -> int:
    """The onset of the first spike, in steps since the record began."""
    return trial["run"].spikes[0].onset - int(trial["run"].records["anatomy"]["steps"][0])


def peak(trial: Trial) -> int:
    """The peak of the first spike, in steps since the record began."""
    return trial["run"].spikes[0].peak - int(trial["run"].records["anatomy"]["steps"][0])


def ascending(trial: Trial, threshold: float) -> slice | None:
    """The recorded steps from the sharpness's crossing of a threshold to the peak; None without a crossing."""
    sharpness = trial["run"].records["anatomy"]["sharpness"][:, 0]
    return ascent(sharpness, threshold, onset(trial), peak(trial))


def _rate(trial: Trial, pair: int) -> tuple[Array, Array]:
    """Measured growth along v_1, and the eigenvalue of one pair, over the ascent."""
    record = trial["run"].records["anatomy"]
    steps = ascending(trial, 2.0 / trial.setting.lr)
    factors = growth(record["swing"][steps, 0], record["next_swing"][steps, 0])
    return factors, record["sharpness"][steps, pair]


def log_rate_error(trial: Trial, *, pair: int = 0) -> float:
    """Median over the ascent of |log growth along v_1 - log|1 - lr lambda_1||, at least 0.

    For gradient descent. With `pair`, the rate is predicted from that eigenvalue in place of lambda_1.
    """
    return rate_error(*_rate(trial, pair), trial.setting.lr)


def straightness(trial: Trial) -> float:
    """R^2 of the log displacement along v_1 against the sum of log|1 - lr lambda_1| over the ascent, at most 1."""
    return displacement_r2(*_rate(trial, 0), trial.setting.lr)


def at_the_predicted_rate(trial: Trial) -> Trial:
    """The motion along v_1 grows by |1 - lr lambda_1| at every step, with noise of 2 % on each factor."""
    record = trial["run"].records["anatomy"]
    rate = np.abs(1.0 - trial.setting.lr * record["sharpness"])
    drawn = np.random.default_rng(trial.seed).normal(scale=0.02, size=rate.shape)
    return with_record(trial, "run", "anatomy", next_swing=record["swing"] * rate * np.exp(drawn))


def sides(
    trial: Trial, *, band: float, lowest: float = LOWEST, highest: float = HIGHEST, small: float = SMALL
) -> tuple[Steps, Steps]:
    """Which recorded steps count, and of each whether the sharpness is above its threshold; both [W].

    Args:
        trial: with an `Anatomy` of a fork that was displaced.
        band: around the threshold, relative to it, in which no step counts.
        lowest: twice the sharpness over its threshold from which on steps count.
        highest: the same, up to which steps count.
        small: loss over the one at the fork, up to which a displacement counts as small; no step counts after.
    """
    record = trial["run"].records["anatomy"]
    relative = record["sharpness"][:, 0] / trial.threshold
    inside = (relative >= lowest / 2) & (relative <= highest / 2) & (np.abs(relative - 1) > band)
    large = np.maximum.accumulate(record["loss"]) > small * record["loss"][0]
    return inside & ~large, relative > 1


def two_sided_agreement(
    trial: Trial,
    *,
    band: float,
    pair: int = 0,
    lowest: float = LOWEST,
    highest: float = HIGHEST,
    small: float = SMALL,
) -> float:
    """Mean of two shares of steps, in [0, 1]: of those above 2/lr with growth along v_1, and of those below with decay.

    One half for a motion that ignores the threshold. With `pair`, along that eigendirection. Other arguments as in `sides`.
    """
    record = trial["run"].records["anatomy"]
    counted, above = sides(trial, band=band, lowest=lowest, highest=highest, small=small)
    factors = growth(record["swing"][:, pair], record["next_swing"][:, pair])
    return balanced_agreement(factors[counted] > 1, above[counted], 1)


def growing_above_only(trial: Trial) -> Trial:
    """The motion along v_1 is multiplied by |1 - lr lambda_1| at every step, with noise of 1 %."""
    record = trial["run"].records["anatomy"]
    rate = np.abs(1.0 - 2.0 * record["sharpness"] / trial.threshold)
    drawn = np.random.default_rng(trial.seed).normal(scale=0.01, size=rate.shape)
    return with_record(trial, "run", "anatomy", next_swing=record["swing"] * rate * np.exp(drawn))


def motion(trial: Trial) -> tuple[Array, int | None]:
    """The size of the motion along v_1 up to the onset, and the step at which it changes from decay to growth."""
    swing = trial["run"].records["anatomy"]["swing"][: onset(trial), 0]
    return np.abs(swing), turning_point(swing)


def _sharpness_at_the_turn(trial: Trial) -> float:
    _, turn = motion(trial)
    return float(trial["run"].records["anatomy"]["sharpness"][turn, 0]) if turn is not None else float("nan")


def _with_momentum(trial: Trial) -> float:
    """The threshold 2 (1 + beta)/lr of heavy ball, (2/lr) (1 + beta)/(1 + 2 beta) of Nesterov; arXiv 2103.00065."""
    lr, beta = trial.setting.lr, trial.setting.momentum or 0.0
    lookahead = 1 + 2 * beta if trial.setting.optimizer == "nesterov" else 1.0
    return 2 / lr * (1 + beta) / lookahead


def turn_over_momentums(trial: Trial) -> float:
    """Sharpness where the motion along v_1 changes from decay to growth, over the rule's own threshold.

    Heavy ball: 2 (1 + beta)/lr. Nesterov: (2/lr) (1 + beta)/(1 + 2 beta). Source: Cohen et al., arXiv 2103.00065, section 2.
    nan where it does not change.
    """
    return _sharpness_at_the_turn(trial) / _with_momentum(trial)


def turn_over_plain(trial: Trial) -> float:
    """The same over 2/lr, the threshold of plain gradient descent."""
    return _sharpness_at_the_turn(trial) / (2 / trial.setting.lr)


def turning_at_its_threshold(trial: Trial) -> Trial:
    """The sharpness rises linearly through the rule's threshold; there the motion changes from decay to growth."""
    record = trial["run"].records["anatomy"]
    ramp = np.linspace(-1.0, 1.0, onset(trial))
    swing, sharpness = record["swing"].copy(), record["sharpness"].copy()
    swing[: len(ramp), 0] = 10.0 ** (8.0 * np.abs(ramp) - 8.0)
    sharpness[: len(ramp), 0] = _with_momentum(trial) * (1.0 + 0.2 * ramp)
    return with_record(trial, "run", "anatomy", swing=swing, sharpness=sharpness)


def multiplier(trial: Trial, *, landmark: str) -> float:
    """Modulus of the multiplier across the valley at the {landmark} of the first spike, at least 0.

    It is an eigenvalue of the linearised update, which a `Stability` records; nan where the spike has no such landmark.
    """
    multipliers = trial["run"].records["stability"].get(landmark, np.full(1, np.nan))
    return float(multipliers[0])


def with_multiplier(trial: Trial, *, landmark: str, size: float) -> Trial:
    """The multiplier across the valley is {size} at the {landmark}."""
    record = trial["run"].records["stability"]
    return with_record(trial, "run", "stability", **{landmark: np.array([size, *record[landmark][1:]])})
