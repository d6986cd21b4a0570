"""How far a look can rely on the gradient and on the given loss, as measured by the looks that check this."""

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median

_FIRST, _AGAIN = 3, 20
"""The first 3 looks and every 20th look check what the others rely on. A check costs three more forward passes."""
_AGREES = 0.1
"""Relative difference of two slopes that counts as agreement."""
_UNCHANGED = 1e-5
"""Relative difference of two slopes that is rounding: the gradient is as the backward pass made it."""
_POWER = 1e-3
"""Distance from a whole power of two that is rounding."""
_BELOW = 0.999
"""A gradient norm below this share of the largest norm was not clipped: clipped norms are equal but for rounding."""
_NEGLIGIBLE = 0.02
"""Negligible difference between two losses before the step, in units of the slope."""
_QUARTER_NOISE = 1.3
"""Error of the deviation from the curve if each of the four losses has an error of 1: 1.25 for the cubic, 1.31 for the
parabola."""
_COMPARABLE = 100.0
"""Factor up to which the rounding of one loss tells that of another, in proportion. An error of fixed size, as that of
log-probabilities near 0, says nothing of much larger losses."""
_MEDIAN_OF_NORMAL = 0.6745
"""Median of |x| for a normal x with standard deviation 1. The median ignores steps so large that no cubic fits."""


@dataclass
class Trust:
    """Whether the gradient is that of the closure's loss, whether the given loss is the closure's, and the rounding error
    of losses."""

    averaged: bool = False
    """Whether gradients are means over several processes, of which this one knows its own loss alone."""
    gradient: bool = False
    """Whether the dot product of gradient and update is the slope of the closure's loss."""
    given_loss: bool = False
    """Whether the given loss equals the closure's before the step."""
    changes_buffers: bool = False
    """Whether a forward pass changes buffers that it may read: gradient and given loss are then not those of later passes."""
    obstacle: str | None = None
    """Why the closure cannot be used; None if it can."""
    _restores: bool | None = None
    """Whether changes after the backward pass must be undone: clipping must, unscaling must not. None before any was seen."""
    _factor: float | None = None
    """By which changes divided the gradient where they must not be undone; None where that is not known."""
    _looks: int = 0
    _largest_norm: float = 0.0
    _last: float = 0.0
    """The size of the last look's loss; 0 where it had none."""
    _deviations: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=8))
    """Errors of losses, in proportion, each with the size of its loss."""

    def next_checks(self) -> bool:
        """Count a look; returns whether it is a checking one.

        So is one after a look whose loss was far from all at which rounding was observed. Its loss is the mean over all
        processes, which therefore decide alike.
        """
        number, self._looks = self._looks, self._looks + 1
        last, self._last = self._last, 0.0
        return number < _FIRST or number % _AGAIN == 0 or bool(last and not self._observed_near(last))

    def may_be_clipped(self, norm: float, *, changed: bool) -> bool:
        """Whether a gradient of this norm, `changed` after the backward pass, may have been clipped."""
        clipped = changed and norm >= _BELOW * self._largest_norm
        self._largest_norm = max(self._largest_norm, norm)
        return clipped

    def compare_slopes(self, as_is: float, restored: float | None, half_step: float, *, may_be_clipped: bool) -> None:
        """Learn which slope agrees with the half step's. A look with a clipped gradient is no evidence against others."""
        if self.averaged:
            return  # agreement would be by chance
        if _unchanged(as_is, restored):
            self.gradient = _agree(as_is, half_step)
        elif restored is not None and _agree(restored, half_step):
            self.gradient, self._restores = True, True
        elif _agree(as_is, half_step):
            self.gradient, self._restores = True, False
            self._factor = None if restored is None else restored / as_is
        elif not may_be_clipped:
            self.gradient = False

    def slope(self, as_is: float, restored: float | None, *, may_be_clipped: bool) -> float | None:
        """The slope by the gradient; None where it cannot be trusted."""
        if self.averaged or self.changes_buffers or not self.gradient:
            return None
        if _unchanged(as_is, restored):
            return as_is
        if self._restores is None:
            return None
        if self._restores:
            return restored
        return as_is if not may_be_clipped and self._only_unscaled(as_is, restored) else None

    def _only_unscaled(self, as_is: float, restored: float | None) -> bool:
        """Whether the gradient was changed by a power of two times the factor that left its slope right: not clipped as well.

        A GradScaler doubles and halves its factor.
        """
        if restored is None or self._factor is None or not as_is:
            return restored is None
        times = restored / as_is / self._factor
        return times > 0.0 and abs(math.log2(times) - round(math.log2(times))) <= _POWER

    def compare_losses(self, given: float, before: float, slope: float) -> None:
        """Learn whether the given loss can replace the closure's before the step."""
        self.given_loss = not self.changes_buffers and abs(given - before) <= _NEGLIGIBLE * abs(slope)

    def note_deviation(self, before: float, quarter: float, half: float, after: float, slope: float | None) -> None:
        """Learn the rounding error from the loss at a quarter of the step: its distance to the curve through the others.

        The curve is the cubic with this slope, or a parabola if the slope is None. Two losses of exactly 0 show no rounding.
        """
        size = max(abs(before), abs(after))
        if not size:
            return
        start = 4.0 * half - 3.0 * before - after if slope is None else slope
        bend = 2.0 * (after - before - 4.0 * (half - before) + start)  # of a parabola zero
        curve = before + start / 4.0 + (after - before - start - bend) / 16.0 + bend / 64.0
        self._deviations.append((abs(quarter - curve) / _QUARTER_NOISE / size, size))

    def noise(self, loss: float, eps: float) -> float:
        """Standard deviation of a look's loss by rounding: as observed at such losses, and no less than two last places."""
        self._last = abs(loss)
        observed = self._observed_near(self._last) or [error for error, _ in self._deviations]
        seen = median(observed) / _MEDIAN_OF_NORMAL if observed else 0.0
        return self._last * max(2.0 * eps, seen)

    def _observed_near(self, size: float) -> list[float]:
        """The errors, in proportion, of losses that are comparable with one of this size."""
        return [error for error, seen in self._deviations if seen <= size * _COMPARABLE and size <= seen * _COMPARABLE]


def _unchanged(as_is: float, restored: float | None) -> bool:
    return restored is not None and math.isclose(as_is, restored, rel_tol=_UNCHANGED)


def _agree(one: float, other: float) -> bool:
    return abs(one - other) <= _AGREES * max(abs(one), abs(other))
