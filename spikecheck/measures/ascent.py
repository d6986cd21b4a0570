"""Growth of the deviation along an eigendirection, for plain gradient descent.

On a quadratic the displacement x along an eigenvector with eigenvalue lambda obeys x' = (1 - lr lambda) x. So do the
gradient along the eigenvector and the gradient's swing, its change in one step. These measures use the swing, since it
keeps the oscillation across the valley and removes the slow drift along it.
"""

import numpy as np

from spikecheck.core.run import Array
from spikecheck.measures.sharpness import crossing

# Replaces zero: smaller than any swing, and any swing divided by it is still finite.
_TINY = 1e-150


def growth(swing: Array, next_swing: Array) -> Array:
    """Factor by which the displacement along v grows in one step, |swing(t+1).v(t)| / |swing(t).v(t)|, for [W] steps.

    >>> growth(np.array([1.0, -2.0]), np.array([-2.0, 3.0]))
    array([2. , 1.5])
    """
    return np.maximum(np.abs(next_swing), _TINY) / np.maximum(np.abs(swing), _TINY)


def rate_error(factors: Array, sharpness: Array, lr: float) -> float:
    """Median over [W] steps of |log growth - log|1 - lr lambda||: a relative error of the rate, at least 0.

    >>> rate_error(np.array([1.5, 1.1]), np.array([25.0, 21.0]), lr=0.1)
    0.0
    """
    predicted = np.log(np.maximum(np.abs(1.0 - lr * sharpness), _TINY))
    return float(np.median(np.abs(np.log(factors) - predicted)).round(12))


def displacement_r2(factors: Array, sharpness: Array, lr: float) -> float:
    """R^2 of the log displacement [W] against its prediction, the cumulative sum of log|1 - lr lambda|: at most 1.

    The line has slope 1 and a free offset, so the rate is not fitted. The value is 0 where the displacement is constant.
    """
    measured = np.cumsum(np.log(factors))
    predicted = np.cumsum(np.log(np.maximum(np.abs(1.0 - lr * sharpness), _TINY)))
    rest = measured - predicted
    spread = float(np.sum((measured - measured.mean()) ** 2))
    return 1.0 - float(np.sum((rest - rest.mean()) ** 2)) / spread if spread > 0 else 0.0


def sign_agreement(factors: Array, sharpness: Array, lr: float, band: float = 0.01) -> tuple[float, int]:
    """Share of steps in which growth > 1 agrees with lr lambda > 2, in [0, 1], and the number of steps that count.

    `factors` and `sharpness` are [W]. Steps with lr lambda within the relative `band` around 2 do not count, since rounding
    and higher-order terms decide there. The share is 0 where no step counts.

    >>> sign_agreement(np.array([1.2, 0.9, 1.1]), np.array([22.0, 18.0, 18.0]), lr=0.1)
    (0.6666666666666666, 3)
    """
    relative = lr * sharpness / 2.0 - 1.0
    counted = np.abs(relative) > band
    agrees = (factors > 1.0) == (relative > 0.0)
    number = int(counted.sum())
    return (float(agrees[counted].mean()) if number else 0.0), number


def turning_point(swing: Array, smoothing: int = 11) -> int | None:
    """The index at which the size |swing| [W] stops falling and begins to rise, by its running median over `smoothing` steps.

    None where the smallest size lies at an end of the record, since the turn is then outside it, and where the record is
    shorter than 3 `smoothing` steps.

    >>> turning_point(np.array([4.0, -3.0, 2.0, -1.0, 2.0, -3.0, 4.0]), smoothing=1)
    3
    """
    if len(swing) < 3 * smoothing:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(np.abs(swing), smoothing)
    sizes = np.median(windows, axis=1)
    least = int(np.argmin(sizes))
    return least + smoothing // 2 if 0 < least < len(sizes) - 1 else None


def ascent(sharpness: Array, threshold: float, onset: int, peak: int) -> slice | None:
    """The ascent within a record [W]: from the last upward crossing of the threshold before the onset to the peak.

    `onset` and `peak` are indices into the record. None where the record contains no such crossing, as when it begins above
    the threshold.
    """
    first = crossing(sharpness, threshold, onset)
    return slice(first, peak) if first is not None and first < peak else None


def balanced_agreement(says: np.ndarray, happens: np.ndarray, fewest: int) -> float:
    """Balanced accuracy of the predictions `says` [W] for the events `happens` [W], both boolean: in [0, 1].

    The mean of two shares of correct steps: among the steps with the event, and among those without. A constant prediction
    scores one half, however rare the event is. NaN where there are fewer than `fewest` steps of either kind.

    >>> balanced_agreement(np.array([True] * 4), np.array([True, True, True, False]), fewest=1)
    0.5
    """
    kinds = (says[happens], ~says[~happens])
    if min(len(kind) for kind in kinds) < fewest:
        return float("nan")
    return float(np.mean([kind.mean() for kind in kinds]))
