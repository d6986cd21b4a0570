"""What looks may rely on, learned from those that check it."""

from collections import deque
from dataclasses import dataclass, field
from statistics import median

_FIRST, _AGAIN = 3, 20
"""The first looks, and every twentieth later, check what the others rely on, for three more forward passes."""
_AGREES = 0.1
"""Relative difference of two slopes that counts as agreement."""
_BELOW = 0.999
"""A gradient norm below this share of the largest one seen was not clipped to it."""
_NEGLIGIBLE = 0.02
"""Difference between two losses before the step, in units of the slope, that an overshoot does not notice."""
_QUARTER_NOISE = 1.3
"""Of the deviation from the curve, where each of the four losses has an error of 1: 1.25 for the cubic, 1.31 for the
parabola."""


_MEDIAN_OF_NORMAL = 0.6745
"""Of the absolute value, for a standard deviation of 1. A median, since one step so large that no cubic fits it says
nothing of rounding."""


@dataclass
class Trust:
    """Whether the gradient is the loss's own, whether the given loss is the closure's, and how far losses are
    rounded."""

    averaged: bool = False
    """Whether gradients are means over several processes, of which this one knows its own loss alone."""
    gradient: bool = False
    """Whether gradient times update is the slope of the closure's loss."""
    given_loss: bool = False
    """Whether the loss that was given is the closure's before the step."""
    obstacle: str | None = None
    """Why the closure cannot be relied on."""
    _restores: bool = True
    """Whether changes after the backward pass have to be undone, as clipping has and unscaling has not."""
    _looks: int = 0
    _largest_norm: float = 0.0
    _deviations: deque[float] = field(default_factory=lambda: deque(maxlen=8))

    def next_checks(self) -> bool:
        """Whether the look that begins now checks."""
        number, self._looks = self._looks, self._looks + 1
        return number < _FIRST or number % _AGAIN == 0

    def may_be_clipped(self, norm: float, *, changed: bool) -> bool:
        """Whether a gradient of this norm, `changed` after the backward pass, may have been clipped: it is the
        largest yet."""
        clipped = changed and norm >= _BELOW * self._largest_norm
        self._largest_norm = max(self._largest_norm, norm)
        return clipped

    def compare_slopes(self, as_is: float, restored: float | None, half_step: float, *, may_be_clipped: bool) -> None:
        """Learn which slope agrees with the half step's; one look with a clipped gradient says nothing about the others."""
        if self.averaged:
            return  # agreement would be by chance
        if restored is not None and _agree(restored, half_step):
            self.gradient, self._restores = True, True
        elif _agree(as_is, half_step):
            self.gradient, self._restores = True, False
        elif not may_be_clipped:
            self.gradient = False

    def slope(self, as_is: float, restored: float | None, *, may_be_clipped: bool) -> float | None:
        """The slope by the gradient; None where it cannot be trusted."""
        if self.averaged or not self.gradient:
            return None
        if self._restores:
            return restored
        return None if may_be_clipped else as_is

    def compare_losses(self, given: float, before: float, slope: float) -> None:
        """Learn whether the given loss can stand for the closure's before the step."""
        self.given_loss = abs(given - before) <= _NEGLIGIBLE * abs(slope)

    def note_deviation(self, before: float, quarter: float, half: float, after: float, slope: float | None) -> None:
        """Learn how far a loss at a quarter of the step lies from the curve through the others: mostly rounding.

        The curve is the cubic with this slope, or a parabola where there is none.
        """
        start = 4.0 * half - 3.0 * before - after if slope is None else slope
        bend = 2.0 * (after - before - 4.0 * (half - before) + start)  # of a parabola zero
        curve = before + start / 4.0 + (after - before - start - bend) / 16.0 + bend / 64.0
        self._deviations.append((quarter - curve) / _QUARTER_NOISE / max(abs(before), abs(after)))

    def noise(self, loss: float, eps: float) -> float:
        """Standard deviation of a loss by rounding: what was seen, and at least two units in its last place."""
        seen = median(map(abs, self._deviations)) / _MEDIAN_OF_NORMAL if self._deviations else 0.0
        return abs(loss) * max(2.0 * eps, seen)


def _agree(one: float, other: float) -> bool:
    return abs(one - other) <= _AGREES * max(abs(one), abs(other))
