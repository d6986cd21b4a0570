"""A claim against its negative control, on the same seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spikecheck.core.judgement import Outcome
from spikecheck.stats.bounds import average_interval, clopper_pearson
from spikecheck.stats.prediction import Average, Estimand, Prediction


@dataclass(frozen=True)
class Pair:
    """One seed's effect under the claim and under its control, and whether each met the prediction."""

    claim: float
    control: float
    claim_held: bool
    control_held: bool


@dataclass(frozen=True)
class Difference:
    """By how much the claim's estimate exceeds its control's: a difference of shares, or an average of paired differences."""

    outcome: Outcome
    estimate: float | None
    low: float | None
    high: float | None
    margin: float
    """What it must exceed."""
    pairs: int


def contrast(pairs: Sequence[Pair], predicts: Estimand, alpha: float) -> Difference:
    """Whether the claim surely exceeds its control on the seeds to which both apply.

    A share must exceed the control's by more than the exceptions that the claim allows itself, 1 - of_seeds: two things
    that both satisfy the rule cannot differ by that much. An average's paired differences, in the direction claimed, must
    be above 0, and are too few to matter where surely below `worth`.
    """
    if isinstance(predicts, Prediction):
        return _of_shares(pairs, 1.0 - predicts.of_seeds, alpha)
    return _of_averages(pairs, predicts, alpha)


def _of_shares(pairs: Sequence[Pair], margin: float, alpha: float) -> Difference:
    """The share in which only the claim held less that in which only the control did, each by an exact bound at half of alpha.

    The two bounds miss together with probability at most alpha, whatever the seeds have in common.
    """
    count = len(pairs)
    if not count:
        return Difference(Outcome.UNTRIGGERED, None, None, None, margin, 0)
    only_claim = sum(pair.claim_held and not pair.control_held for pair in pairs)
    only_control = sum(pair.control_held and not pair.claim_held for pair in pairs)
    least_claim, most_claim = clopper_pearson(only_claim, count, alpha / 2)
    least_control, most_control = clopper_pearson(only_control, count, alpha / 2)
    low, high = least_claim - most_control, most_claim - least_control
    outcome = Outcome.HOLDS if low > margin else Outcome.FAILS if high < margin else Outcome.UNDECIDED
    return Difference(outcome, (only_claim - only_control) / count, low, high, margin, count)


def _of_averages(pairs: Sequence[Pair], predicts: Average, alpha: float) -> Difference:
    differences = np.array([predicts.toward(pair.claim) - predicts.toward(pair.control) for pair in pairs])
    if len(differences) < predicts.fewest():
        return Difference(Outcome.UNTRIGGERED, None, None, None, 0.0, len(differences))
    found = average_interval(differences, predicts, alpha)
    if found.high <= predicts.worth:
        outcome = Outcome.FAILS
    else:
        outcome = Outcome.HOLDS if found.low > 0.0 else Outcome.UNDECIDED
    return Difference(outcome, found.estimate, found.low, found.high, 0.0, len(differences))
