"""Condensation: how far a layer's neurons point in the same direction.

A neuron's input weight is the vector of its incoming weights and its bias. There are two measures: the mean |cos| between
input weights (alignment), and the number of directions into which they fall (effective ratio). They can disagree, so a
claim says which one it uses.
"""

import math

import numpy as np

from spikecheck.core.run import Array


def cosines(input_weights: Array) -> Array:
    """Cosines between the input weights [W, D + 1] of the neurons that are not all zero: [V, V], V <= W.

    >>> cosines(np.array([[2.0, 0.0], [0.0, 0.0], [0.0, -5.0]]))
    array([[1., 0.],
           [0., 1.]])
    """
    pointing = input_weights[_points_somewhere(input_weights)]
    # weight decay shrinks a dead neuron until its squares underflow; its direction remains, so scale it first
    scaled = pointing / np.abs(pointing).max(axis=1, keepdims=True, initial=0.0)
    units = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    inside: Array = np.clip(units @ units.T, -1.0, 1.0)
    return inside


def alignment(input_weights: Array, amplitudes: Array | None = None) -> float:
    """Mean |cos| over all pairs of different neurons, in [0, 1]; 0 where fewer than two neurons have a direction.

    `input_weights` is [W, D + 1]. With `amplitudes` [W] (output weights a) the mean is weighted: a pair's weight is the
    product of |a| |u| over its two neurons, with u the input weight.

    >>> alignment(np.array([[1.0, 0.0], [-2.0, 0.0], [0.0, 3.0]]))
    0.3333333333333333
    """
    alike = np.abs(cosines(input_weights))
    weights = np.ones(len(alike))
    if amplitudes is not None:
        contributions = np.abs(amplitudes) * np.linalg.norm(input_weights, axis=1)
        weights = contributions[_points_somewhere(input_weights)]
    pairs = np.outer(weights, weights)
    np.fill_diagonal(pairs, 0.0)
    total = pairs.sum()
    return float((pairs * alike).sum() / total) if total > 0 else 0.0


def effective_ratio(input_weights: Array, above: float = 0.95) -> float:
    """Number of directions divided by the number of neurons that have one, in (0, 1], for input weights [W, D + 1].

    Directions are counted greedily: the first remaining neuron removes all neurons with a signed cos > `above`. The ratio is
    1 / W when all W neurons point in the same direction, and 0 where no neuron has a direction.

    >>> effective_ratio(np.array([[1.0, 0.0], [2.0, 0.1], [-1.0, 0.0], [0.0, 1.0]]))
    0.75
    """
    alike = cosines(input_weights) > above
    np.fill_diagonal(alike, True)  # a neuron belongs to its own direction even for `above` >= 1
    left = np.ones(len(alike), dtype=bool)
    directions = 0
    while left.any():
        left &= ~alike[int(np.argmax(left))]
        directions += 1
    return directions / len(alike) if len(alike) else 0.0


def _points_somewhere(input_weights: Array) -> np.ndarray:
    """Mask [W] of the neurons that have a direction."""
    return np.asarray(input_weights.any(axis=1))


def random_alignment(dimensions: int) -> float:
    """Mean |cos| between two random directions in d dimensions, d at least 1: the alignment without condensation.

    It is Gamma(d/2) / (sqrt(pi) Gamma((d + 1)/2)), the mean of |x_1| on the unit sphere.

    >>> round(random_alignment(2) - 2 / math.pi, 12), round(random_alignment(3), 12)
    (0.0, 0.5)
    """
    return math.exp(math.lgamma(dimensions / 2) - math.lgamma((dimensions + 1) / 2)) / math.sqrt(math.pi)
