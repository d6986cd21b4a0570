"""Exact binomial bounds, the outcome they decide, and repeated looks that are paid for."""

from dataclasses import dataclass

from scipy.special import betaincinv

from spikecheck.core.judgement import Outcome
from spikecheck.stats.prediction import Prediction


@dataclass(frozen=True)
class Decision:
    """An outcome and the one-sided bounds on the share of seeds that decided it."""

    outcome: Outcome
    low: float
    high: float


def clopper_pearson(held: int, applicable: int, alpha: float) -> tuple[float, float]:
    """Lower and upper bound on a binomial share, each missed with probability at most `alpha` (Clopper & Pearson 1934).

    >>> low, high = clopper_pearson(14, 14, 0.05)
    >>> round(low, 4), high   # 0.05 ** (1 / 14)
    (0.8074, 1.0)
    """
    low = float(betaincinv(held, applicable - held + 1, alpha)) if held else 0.0
    high = float(betaincinv(held + 1, applicable - held, 1.0 - alpha)) if held < applicable else 1.0
    return low, high


def judge(held: int, applicable: int, prediction: Prediction, alpha: float) -> Decision:
    """HOLDS if even the lower bound reaches the required share, FAILS if even the upper one does not.

    With fewer applicable seeds than could ever show the share, the question was hardly asked: UNTRIGGERED.
    """
    low, high = clopper_pearson(held, applicable, alpha)
    if applicable < prediction.fewest():
        return Decision(Outcome.UNTRIGGERED, low, high)
    if low >= prediction.of_seeds:
        return Decision(Outcome.HOLDS, low, high)
    return Decision(Outcome.FAILS if high < prediction.of_seeds else Outcome.UNDECIDED, low, high)


def spending(alpha: float, looks: int) -> tuple[float, ...]:
    """What each look at growing data may spend of `alpha`: half at the first look, the rest in equal parts.

    The parts sum to `alpha`, so by the union bound a wrong decision at any look is at most as likely, however the looks
    depend on each other and however many seeds turn out to be applicable.

    >>> spending(0.05, 1), spending(0.05, 3)
    ((0.05,), (0.025, 0.0125, 0.0125))
    """
    if looks == 1:
        return (alpha,)
    return (alpha / 2, *[alpha / 2 / (looks - 1)] * (looks - 1))
