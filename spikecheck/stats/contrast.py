"""Comparison of a claim with its negative control, on the same seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spikecheck.core.judgement import Outcome
from spikecheck.stats.averages import Interval
from spikecheck.stats.bounds import average_interval, clopper_pearson
from spikecheck.stats.prediction import Average, Estimand, Prediction

SHARE_MARGIN = 0.5
"""The difference by which a share must exceed its control's: see `contrast`."""


@dataclass(frozen=True)
class Pair:
    """One seed's effect in the claim and in its control, and whether each met the prediction."""

    claim: float
    control: float
    claim_held: bool
    control_held: bool


@dataclass(frozen=True)
class Difference:
    """How much the claim's estimate exceeds its control's: a difference of shares, or an average of paired differences."""

    outcome: Outcome
    estimate: float | None
    low: float | None
    high: float | None
    margin: float
    """The value that the difference must exceed."""
    pairs: int


def contrast(pairs: Sequence[Pair], predicts: Estimand, alpha: float) -> Difference:
    """Decide whether the claim exceeds its control on the seeds to which both apply, with error at most `alpha`.

    - A share must exceed the control's by more than a half. A check without information in half of the seeds can differ
      from its control only in the other half.
    - An average with one limit: the paired differences, in the claimed direction, must have a lower bound above 0 and an
      estimate of at least `worth`. The contrast fails where their upper bound is at most `worth`.
    - An average between two limits must be nearer to their middle than the control's average. The control's estimate must
      be at least twice as far from the middle as the limits are; at a smaller distance, a check without information in
      half of the seeds would bring it within the limits.
    """
    if isinstance(predicts, Prediction):
        return _of_shares(pairs, SHARE_MARGIN, alpha)
    if len(pairs) < predicts.fewest():
        return Difference(Outcome.UNTRIGGERED, None, None, None, 0.0, len(pairs))
    between = predicts.floor is not None and predicts.ceiling is not None
    interval = _nearer(pairs, predicts, alpha) if between else _further(pairs, predicts, alpha)
    enough = interval.low > 0.0 and interval.estimate >= predicts.worth and (not between or _far_off(pairs, predicts))
    outcome = Outcome.HOLDS if enough else Outcome.UNDECIDED
    if interval.high <= predicts.worth:
        outcome = Outcome.FAILS
    return Difference(outcome, interval.estimate, _finite(interval.low), _finite(interval.high), 0.0, len(pairs))


def _far_off(pairs: Sequence[Pair], predicts: Average) -> bool:
    """Whether the control's estimate is at least twice as far from the middle of the limits as the limits are."""
    low, high = predicts.floor or 0.0, predicts.ceiling or 0.0
    interval = average_interval(np.array([pair.control for pair in pairs]), predicts, 0.5)
    return abs(interval.estimate - (low + high) / 2) >= high - low


def _finite(bound: float) -> float | None:
    """The bound, or None where it is infinite because there are too few pairs."""
    return bound if np.isfinite(bound) else None


def _of_shares(pairs: Sequence[Pair], margin: float, alpha: float) -> Difference:
    """Share of pairs in which only the claim held, minus the share in which only the control held.

    Each share has an exact bound at alpha / 2, so both together err with probability at most alpha however they depend.
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


def _further(pairs: Sequence[Pair], predicts: Average, alpha: float) -> Interval:
    """Interval for how much further the claim's effect lies than the control's, in the direction of its one limit."""
    differences = [predicts.toward(pair.claim) - predicts.toward(pair.control) for pair in pairs]
    return average_interval(np.array(differences), predicts, alpha)


def _nearer(pairs: Sequence[Pair], predicts: Average, alpha: float) -> Interval:
    """Interval for how much nearer the claim's average lies to the middle of its two limits than the control's.

    It compares averages and not single effects, since the effects of an average in the middle may spread beyond both limits.
    With the middle m, the claim's average m + c and the control's m + k, the control's is further away where k - c and k + c
    have the same sign. Each of these two has bounds at alpha / 2, so the comparison errs with probability at most alpha.
    """
    middle = ((predicts.floor or 0.0) + (predicts.ceiling or 0.0)) / 2
    claims, controls = (np.array(side) - middle for side in zip(*[(p.claim, p.control) for p in pairs], strict=True))
    less, more = (average_interval(both, predicts, alpha / 2) for both in (controls - claims, controls + claims))
    return Interval(
        max(min(less.estimate, more.estimate), min(-less.estimate, -more.estimate)),
        max(min(less.low, more.low), min(-less.high, -more.high)),
        max(min(less.high, more.high), min(-less.low, -more.low)),
    )
