"""Whether the steps of a rise are too long for the loss on all points, or point uphill on it: the rule of docs/spontaneous.md.

It was committed before any step had been measured. Everything is in units of the logarithm of the loss, so that the last
step does not decide a rise over many orders of magnitude.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from statistics import fmean, median

from spikecheck.core.record import Record
from spikecheck.why.scene import LEAD
from studies.fixed_loss import FixedStep

VISIBLE = 2.0
"""By how much the logarithm of the loss must rise, in units of the largest rise within the quiet steps."""
TOO_LONG, UPHILL = 1.0, 0.5
"""Shares of the rise beyond the slopes: above the first the steps are too long, below the second they point uphill."""
AGREES = 0.1
"""Difference of two slopes, in units of |g.u| + u.Hu/2 in size, up to which they agree."""
AGREEING = 0.9
"""Share of the quiet steps in which they must agree, or nothing is said."""
_FEWEST = 8
"""Quiet steps without which there is no baseline."""


class Said(StrEnum):
    """What the fixed set says of a rise."""

    LONG = "steps too long"
    UPHILL = "steps point uphill"
    NO_RISE = "no rise"
    UNKNOWN = "cannot tell"


class FixedReading(Record):
    """One stretch of steps, read."""

    says: Said
    first: int
    """Step before which the loss on the fixed set is lowest."""
    last: int
    """Step after which it is highest."""
    low: float
    """That lowest loss."""
    high: float
    slope: float
    """Sum of g.u/L over these steps."""
    usual_slope: float
    """Mean of g.u/L over the quiet steps, times the number of these steps."""
    usual_rise: float
    """Largest rise of ln L within the quiet steps."""
    part: float | None
    """Of the rise that is beyond the usual one, the part that the slopes do not make. None where it is not beyond."""
    share: float | None
    """The same, where the rise is large enough to be judged."""
    gradient_curvature: float
    """Along the gradient of all points, over the threshold, median of these steps; above 1 they are unstable without noise."""
    usual_gradient_curvature: float
    batch_sharpness: float
    """Preconditioned, of these steps' own batches, over 2 divided by the rate."""
    usual_batch_sharpness: float
    agreeing: float
    """Share of the quiet steps in which the slope by the gradient and that by three losses agree."""
    parabolic: float
    """Share of these steps whose change is g.u + u.Hu/2, by the same measure."""

    @property
    def rise(self) -> float:
        """Of ln L."""
        return math.log(self.high / self.low)


def read_fixed(steps: Sequence[FixedStep], onset: int, peak: int) -> FixedReading:
    """Read the consecutive steps from some 64 before the onset to the one before the peak.

    Raises:
        ValueError: when fewer than eight are quiet, or none is not.
    """
    quiet = [one for one in steps if one.step < onset - LEAD]
    near = [one for one in steps if onset - LEAD <= one.step < peak]
    if len(quiet) < _FEWEST or not near:
        raise ValueError(f"{len(quiet)} quiet steps and {len(near)} near the onset: too few")
    first, last = _largest_rise(near)
    rise = near[first:last] or near[:1]
    usual_rise = _rise_of(quiet, *_largest_rise(quiet))
    usual_slope = len(rise) * fmean(one.slope / one.loss for one in quiet)
    usual_change = len(rise) * fmean(math.log(one.after / one.loss) for one in quiet)
    slope = math.fsum(one.slope / one.loss for one in rise)
    change = _rise_of(near, first, last)
    beyond = change - usual_change
    part = 1.0 - (slope - usual_slope) / beyond if min(beyond, change) > 0.0 else None
    share = part if change >= VISIBLE * usual_rise else None
    agreeing = fmean(_near(one.slope, one.half_slope, one) for one in quiet)
    return FixedReading(
        says=_said(share, agreeing),
        first=rise[0].step,
        last=rise[-1].step,
        low=rise[0].loss,
        high=rise[-1].after if last > first else rise[0].loss,
        slope=slope,
        usual_slope=usual_slope,
        usual_rise=usual_rise,
        part=part,
        share=share,
        gradient_curvature=median(one.gradient_curvature for one in rise),
        usual_gradient_curvature=median(one.gradient_curvature for one in quiet),
        batch_sharpness=_batch_sharpness(rise),
        usual_batch_sharpness=_batch_sharpness(quiet),
        agreeing=agreeing,
        parabolic=fmean(_near(one.slope + one.bend / 2.0, one.change, one) for one in rise),
    )


def _said(share: float | None, agreeing: float) -> Said:
    if agreeing < AGREEING:
        return Said.UNKNOWN
    if share is None:
        return Said.NO_RISE
    if share > TOO_LONG:
        return Said.LONG
    return Said.UPHILL if share < UPHILL else Said.UNKNOWN


def _largest_rise(steps: Sequence[FixedStep]) -> tuple[int, int]:
    """Where the loss is lowest and then highest: the pair, in this order, between which its logarithm rises most."""
    logs = [math.log(one.loss) for one in steps] + [math.log(steps[-1].after)]
    lowest: list[int] = []
    for place, log in enumerate(logs):
        lowest.append(place if not lowest or log < logs[lowest[-1]] else lowest[-1])
    last = max(range(len(logs)), key=lambda place: logs[place] - logs[lowest[place]])
    return lowest[last], last


def _rise_of(steps: Sequence[FixedStep], first: int, last: int) -> float:
    return math.fsum(math.log(one.after / one.loss) for one in steps[first:last])


def _near(one: float, other: float, step: FixedStep) -> bool:
    return abs(one - other) <= AGREES * (abs(step.slope) + abs(step.bend) / 2.0)


def _batch_sharpness(steps: Sequence[FixedStep]) -> float:
    """Mean of the bends over mean of the squares, times half the rate: 1 where it is 2 over the rate."""
    squares = math.fsum(one.own_square for one in steps)
    return math.fsum(one.own_bend * one.rate / 2.0 for one in steps) / squares if squares else 0.0
