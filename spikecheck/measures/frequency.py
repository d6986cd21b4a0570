"""Low and high frequencies of functions: by a Gaussian filter on scattered inputs, by a cosine transform on an even grid.

Every result depends on its cut-off, so cut-offs have no default: a claim states its own. A NaN in the input gives a NaN in
the result, never a 0.
"""

import math
from functools import lru_cache

import numpy as np

from spikecheck.core.errors import SettingError
from spikecheck.core.run import Array


def gaussian_low(x: Array, y: Array, delta: float) -> Array:
    """The low-frequency part of y: its average around every input, weighted by exp(-|x_i - x_j|^2 / (2 delta)).

    x is [N] or [N, D], y is [N] or [N, O]. The result has y's shape; y minus the result is the high-frequency part. `delta`
    is a variance in squared units of x. Source: Xu et al., arXiv 1901.06523.

    Raises:
        SettingError: `delta` is not above 0.

    >>> gaussian_low(np.array([0.0, 1.0, 2.0]), np.array([3.0, 3.0, 3.0]), delta=0.5)
    array([3., 3., 3.])
    """
    low: Array = _filter(x, delta) @ y
    return low


def low_ratio(x: Array, y: Array, delta: float) -> float:
    """Energy of the low-frequency part over all energy: sum |y_low|^2 / sum |y|^2, in [0, about 1]; 0 where y vanishes.

    Arguments are those of `gaussian_low`. The filter is an average and not an orthogonal projection: near the border of the
    inputs it can slightly increase the energy, and the ratios of the low and the high part need not add up to 1.
    """
    return float(low_ratios(x, y, [delta])[0])


def low_ratios(x: Array, y: Array, deltas: list[float]) -> Array:
    """`low_ratio` for a range of variances: [len(deltas)]."""
    scaled, _ = _rescaled(y)
    total = float(np.square(scaled).sum())
    low = np.array([np.square(_filter(x, delta) @ scaled).sum() for delta in deltas])
    return low / total if total != 0 else np.zeros(len(deltas))


def part_errors(x: Array, y: Array, h: Array, delta: float) -> tuple[float, float]:
    """Relative errors e_low = |y_low - h_low| / |y_low| and e_high, likewise for the high part, of a fit h [N] or [N, O] to y.

    Each is at least 0. Where a part of y vanishes, the error is 0 if that part of h vanishes too, else infinite. A part counts
    as vanished if it is no larger than the filter's rounding errors, such as the high part of a constant.
    """
    kernel = _filter(x, delta)
    y_low, h_low = kernel @ y, kernel @ h
    # each filtered value is a sum of N terms, so its rounding error is at most N eps times the values' size
    y_noise, h_noise = (len(y) * np.finfo(np.float64).eps * _norm(values) for values in (y, h))
    low = _relative(y_low - h_low, y_low, y_noise, h_noise)
    return low, _relative((y - y_low) - (h - h_low), y - y_low, y_noise, h_noise)


def spectrum(values: Array) -> Array:
    """Shares of the energy by cosine mode (DCT-II) of values [..., G] at the midpoints of G equal cells: [..., G].

    Mode k has k half-waves over the interval; mode 0 is the mean. The shares sum to 1; all are 0 where the values vanish.

    >>> spectrum(np.cos(3 * np.pi * (np.arange(8) + 0.5) / 8)).round(12).tolist()
    [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    from scipy.fft import dct  # noqa: PLC0415 - claim files import this module; listing claims must not import scipy

    largest = np.abs(values).max(axis=-1, keepdims=True)
    scaled = values / np.where(largest > 0, largest, 1.0)  # squares of tiny values would underflow
    energy = np.square(dct(scaled, type=2, norm="ortho", axis=-1))
    total = energy.sum(axis=-1, keepdims=True)
    shares: Array = energy / np.where(total > 0, total, 1.0)
    return shares


def low_modes(values: Array, modes: int) -> float:
    """Share of the energy of values [G] in the `modes` lowest cosine modes, including the mean: in [0, 1].

    >>> low_modes(np.array([1.0, 1.0, 1.0, 1.0]), modes=1)
    1.0
    """
    return _share_below(spectrum(values), modes)


def centroid(values: Array) -> float:
    """Mean cosine mode of values [G], weighted by energy, in half-waves over the interval: in [0, G - 1].

    >>> round(centroid(np.cos(3 * np.pi * (np.arange(8) + 0.5) / 8)), 9)
    3.0
    """
    shares = spectrum(values)
    return float(shares @ np.arange(len(shares)))


def principal_coordinate(x: Array) -> Array:
    """Projection of the inputs [N, D] on their first principal component, scaled to [0, 1]: [N]. N is at least 1.

    The sign makes the component's largest loading positive. All values are 0 where the inputs are one point.

    Raises:
        numpy.linalg.LinAlgError: x is not finite.
    """
    offsets = (
        x - x[0]
    )  # exactly 0 where the inputs are one point; x minus its mean would leave rounding errors to scale up
    centred = offsets - offsets.mean(axis=0)
    component = np.linalg.svd(centred, full_matrices=False)[2][0]
    along = centred @ (component * np.sign(component[np.argmax(np.abs(component))]))
    reach = float(np.ptp(along))
    return (along - along.min()) / reach if reach > 0 else np.zeros(len(x))


def scattered_spectrum(t: Array, y: Array, modes: int) -> Array:
    """Energy |mean_j y_j exp(-2 pi i k t_j)|^2 for k = 0 ... modes - 1 of y [N] or [N, O] at t [N] in [0, 1]: [modes].

    A direct sum: for thousands of points and tens of modes it is one small matrix product, so no fast transform is needed.
    """
    waves = np.exp(-2j * np.pi * np.outer(np.arange(modes), t))
    amplitudes = waves @ y.reshape(len(t), -1) / len(t)
    energy: Array = np.square(np.abs(amplitudes)).sum(axis=1)
    return energy


def scattered_low_share(t: Array, y: Array, below: int, modes: int = 64) -> float:
    """Share of the energy of the first `modes` modes that lies below mode `below`: in [0, 1].

    y is [N] or [N, O] at scattered t [N] in [0, 1]. The share is 0 where y vanishes.
    """
    energy = scattered_spectrum(t, _rescaled(y)[0], modes)
    total = energy.sum()
    return _share_below(energy / total, below) if total != 0 else 0.0


def _filter(x: Array, delta: float) -> Array:
    """The filter as a matrix [N, N] whose rows sum to 1; read-only."""
    if not delta > 0:
        raise SettingError(f"delta={delta!r}: is the filter's variance; give a number above 0")
    points = np.ascontiguousarray(x.reshape(len(x), math.prod(x.shape[1:])), dtype=np.float64)
    return _filter_of(points.tobytes(), points.shape, delta)


@lru_cache(maxsize=2)  # hundreds of runs are measured on the same training points and the same test points
def _filter_of(points: bytes, shape: tuple[int, ...], delta: float) -> Array:
    from scipy.spatial.distance import cdist  # noqa: PLC0415 - as in `spectrum`

    there = np.frombuffer(points).reshape(shape)
    with np.errstate(over="ignore"):  # an infinite distance over a tiny variance correctly weighs 0
        kernel = np.exp(-cdist(there, there, "sqeuclidean") / (2 * delta))
    weights: Array = kernel / kernel.sum(axis=1, keepdims=True)  # every point weighs 1 in its own row, so no sum is 0
    weights.flags.writeable = False
    return weights


def _relative(error: Array, of: Array, of_noise: float, error_noise: float) -> float:
    size, whole = _norm(error), _norm(of)
    if whole <= of_noise:
        return 0.0 if size <= of_noise + error_noise else math.inf * size  # infinite, or NaN where the fit contains one
    return size / whole


def _norm(values: Array) -> float:
    """Root of the sum of squares, without overflow or underflow."""
    scaled, exponent = _rescaled(values)
    return float(np.ldexp(np.linalg.norm(scaled), exponent))


def _rescaled(values: Array) -> tuple[Array, int]:
    """Values divided by 2^exponent, and the exponent, such that the largest |value| is in [1/2, 1).

    Squares of the scaled values neither underflow nor overflow. Division by a power of two is exact.
    """
    exponent = int(np.frexp(np.abs(values).max(initial=0.0))[1])
    return np.ldexp(values, -exponent), exponent


def _share_below(shares: Array, mode: int) -> float:
    """Sum of the shares of modes 0 ... mode - 1, clipped to [0, 1] because rounding may take it above 1."""
    return float(np.clip(shares[np.arange(len(shares)) < mode].sum(), 0.0, 1.0))
