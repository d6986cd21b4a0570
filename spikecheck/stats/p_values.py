"""p-values of the two decisions "holds" and "fails": for each, the smallest level at which it is made.

They agree with the bounds in `stats.bounds`: a decision made there at alpha has a p-value of at most alpha.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import bdtr, bdtrc

from spikecheck.core.judgement import Outcome
from spikecheck.stats.averages import Values
from spikecheck.stats.bounds import average_interval
from spikecheck.stats.bounds import of_average as decided
from spikecheck.stats.prediction import Average

_LEAST, _MOST = 1e-12, 0.5
"""No p-value is reported below the first; a decision that is not made at the second has the p-value 1."""
_HALVINGS = 30


def of_share(held: int, applicable: int, required: float) -> tuple[float, float]:
    """p-values of "holds" and "fails" for a share: P(X >= held) and P(X <= held) for X ~ Bin(applicable, required).

    >>> above, below = of_share(14, 14, 0.8)
    >>> round(above, 4), below   # 0.8 ** 14
    (0.044, 1.0)
    """
    return float(bdtrc(held - 1, applicable, required)), float(bdtr(held, applicable, required))


def of_average(scores: Sequence[float], predicts: Average) -> tuple[float, float]:
    """p-values of "holds" and "fails" for an average over [S] seeds' effects, in [0, 1].

    A mean has Student's p-values or larger ones, a median those of the sign test. With two limits, the p-value of "holds" is
    the larger of the two.

    >>> holds, fails = of_average([1.0, 2.0, 3.0, 4.0, 5.0], Average(above=0.0, of="median"))
    >>> round(holds, 5), fails   # 0.5 ** 5
    (0.03125, 1.0)
    """
    values = np.array(scores)
    if not len(values):
        return 1.0, 1.0
    return _smallest(values, predicts, Outcome.HOLDS), _smallest(values, predicts, Outcome.FAILS)


def _smallest(values: Values, predicts: Average, outcome: Outcome) -> float:
    """The smallest level of each bound that gives this outcome, by bisection: a larger level brings the bounds closer."""

    def made(alpha: float) -> bool:
        return decided(average_interval(values, predicts, alpha), predicts) is outcome

    if not made(_MOST):
        return 1.0
    if made(_LEAST):
        return _LEAST
    low, high = math.log(_LEAST), math.log(_MOST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if made(math.exp(middle)) else (middle, high)
    return math.exp(high)
