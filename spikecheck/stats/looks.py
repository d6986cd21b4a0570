"""Repeated looks at growing data: the level of each look for which all looks together err with a given probability."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

_GRID = 801
"""Points of the integral over the standardised sum, from -8 to the boundary. They give the level to four digits."""


def nominal_alpha(alpha: float, sizes: Sequence[int]) -> float:
    """The one-sided level of each look at which all looks together err with probability `alpha`.

    `sizes` are the numbers of seeds at the looks, increasing. The level is the constant boundary of Pocock (1977) for sums
    of normal effects, by recursive integration (Armitage, McPherson & Rowe 1969). Exact bounds on counts of seeds are
    conservative, so their total error stays below `alpha`.

    >>> nominal_alpha(0.05, [64])
    0.05
    >>> round(nominal_alpha(0.05, [64, 128, 256]), 4)
    0.0218
    """
    return _nominal(alpha, tuple(sizes))


@lru_cache(maxsize=64)
def _nominal(alpha: float, sizes: tuple[int, ...]) -> float:
    if len(sizes) == 1:
        return alpha
    return float(brentq(lambda one: _ever(one, sizes) - alpha, alpha / len(sizes), alpha, xtol=1e-8))


def _ever(one: float, sizes: tuple[int, ...]) -> float:
    """The probability that any look crosses its boundary, each at one-sided level `one`.

    The density of the sum, in units of one seed's standard deviation and without the paths that have crossed, is carried
    from look to look: convolved with the sum of the added seeds, and cut off at the boundary.
    """
    limit = -ndtri(one)
    first = np.sqrt(sizes[0])
    sums = np.linspace(-8 * first, limit * first, _GRID)
    density = np.exp(-(sums**2) / (2 * sizes[0])) / np.sqrt(2 * np.pi * sizes[0])
    crossed = one
    for before, size in pairwise(sizes):
        spread = np.sqrt(size - before)
        boundary = limit * np.sqrt(size)
        crossed += float(np.trapezoid(density * ndtr((sums - boundary) / spread), sums))
        further = np.linspace(-8 * np.sqrt(size), boundary, _GRID)
        steps = np.exp(-((further[:, None] - sums) ** 2) / (2 * spread**2)) / (np.sqrt(2 * np.pi) * spread)
        density = np.trapezoid(steps * density, sums, axis=1)
        sums = further
    return crossed
