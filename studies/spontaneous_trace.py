"""What a training's trace says of its spike, by the rule of docs/spontaneous.md: it was written before any was diagnosed."""

import math
from collections.abc import Sequence
from statistics import fmean, median

from spikecheck.core.record import Record
from spikecheck.core.watched import Look, Step
from spikecheck.core.why import Cause

NO_INSTABILITY = "no instability"
NEAR = 8
"""Steps before the onset at which a lag counts."""
LAG = 2.3
"""Of |g|/sqrt(v), as arXiv 2304.13013 has it."""
RARE = 0.05
"""Share of the earlier steps at which a tensor may have been as high."""
FALLING_BEFORE = 32
"""Steps before the onset at which the fall of the second moment is no longer read: the rise itself may lie in them."""
HALVES_WITHIN = 128
"""Steps in which its root must halve: as many as forks last after the onset."""
_RISE = 2
"""Steps before the onset with which the rise begins: a loss shows what the update before it did."""
_FEWEST = 2
"""Resolved steps of the rise, or nothing is said."""


class Trace(Record):
    """What was seen."""

    overshoot: float | None
    """Median of the rise; at most 99, which stands for a step that went uphill too. None where too few are known."""
    lagging: str | None
    """The tensor that lagged most, of those that did."""
    surprise: float
    """The largest |g|/sqrt(v) of a tensor in the steps before the onset."""

    falls: bool = False
    """Whether the second moment of at least half of the tensors falls fast."""

    @property
    def unstable(self) -> bool:
        """Whether the rise's steps raised the loss of their own batch."""
        return self.overshoot is not None and self.overshoot > 1.0

    @property
    def names(self) -> str:
        """What it says."""
        if not self.unstable:
            return NO_INSTABILITY
        if self.lagging is not None:
            return Cause.LAG
        return Cause.DECAYED if self.falls else Cause.CURVATURE


def read_trace(steps: Sequence[Step], onset: int, peak: int, beta2: float) -> Trace:
    """Read the steps up to the peak, each with a look; `beta2` is the optimizer's."""
    looks = {step.step: step.look for step in steps if step.look is not None}
    rise = [overshoot_of(look) for step, look in looks.items() if onset - _RISE <= step < max(peak, onset)]
    known = [value for value in rise if value is not None]
    lags = _lags(looks, onset)
    near = [value for step in range(onset - NEAR, onset) for value in _surprises(looks.get(step)).values()]
    return Trace(
        overshoot=min(median(known), _UPHILL) if len(known) >= _FEWEST else None,
        lagging=max(lags, key=lambda name: lags[name], default=None),
        surprise=max(near, default=0.0),
        falls=_falls([_surprises(look) for step, look in looks.items() if step < onset - FALLING_BEFORE], beta2),
    )


_UPHILL = 99.0


def overshoot_of(look: Look) -> float | None:
    """Its overshoot; 99 for an update that went uphill and raised the loss, None where nothing is known."""
    if look.overshoot is not None:
        return look.overshoot
    known = look.slope is not None and look.change is not None and math.isfinite(look.change)
    return _UPHILL if known and (look.slope or 0.0) > 0.0 and (look.change or 0.0) > 0.0 else None


def _lags(looks: dict[int, Look], onset: int) -> dict[str, float]:
    """The tensors that lag before the onset and seldom did before, with the largest |g|/sqrt(v) of each."""
    earlier = [_surprises(look) for step, look in looks.items() if step < onset - NEAR]
    near = [_surprises(looks.get(step)) for step in range(onset - NEAR, onset)]
    highest = {name: max(seen.get(name, 0.0) for seen in near) for seen in near for name in seen}
    usual = {name: sum(seen.get(name, 0.0) >= LAG for seen in earlier) for name in highest}
    return {name: value for name, value in highest.items() if value >= LAG and usual[name] <= RARE * len(earlier)}


def _falls(early: Sequence[dict[str, float]], beta2: float) -> bool:
    """Whether the root of the second moment of at least half of the tensors halves within the steps that forks last."""
    names = {name for seen in early for name in seen}
    squares = [fmean(seen[name] ** 2 for seen in early if name in seen) for name in names]
    fast = [square < 1.0 - math.log(4.0) / ((1.0 - beta2) * HALVES_WITHIN) for square in squares]
    return bool(fast) and 2 * sum(fast) >= len(fast)


def _surprises(look: Look | None) -> dict[str, float]:
    layers = {} if look is None else look.layers
    return {name: layer.surprise for name, layer in layers.items() if layer.surprise is not None}
