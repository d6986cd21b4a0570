"""Lays out an interval and its requirement on a line with labelled ends. Places run from 0 (left) to 1 (right)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10

from spikecheck.core.judgement import Judgement
from spikecheck.core.scorecard import Row
from spikecheck.report.estimates import of_average, shown_average
from spikecheck.report.phrases import percent
from spikecheck.stats.prediction import Average, Estimand


@dataclass(frozen=True)
class Limit:
    """A number that the interval is compared with, and its label."""

    place: float
    says: str


@dataclass(frozen=True)
class Strip:
    """What is drawn: interval, estimate, required range, limits, and labels of the line's ends."""

    ends: tuple[str, str]
    interval: tuple[float, float]
    point: float
    wanted: tuple[float, float]
    """The range that the claim requires; for a row of the gate, the range within the margin."""
    limits: tuple[Limit, ...]
    says: str
    """The strip in words, for screen readers."""


def share_strip(judgement: Judgement) -> Strip | None:
    """The share of seeds that held, on a line from 0 to 100 %; None if the claim applied to no seed."""
    if not judgement.applicable:
        return None
    share, required = judgement.held / judgement.applicable, judgement.required
    says = f"{percent(share)} of the seeds ({percent(judgement.low)} to {percent(judgement.high)})"
    limits = () if required is None else (Limit(required, f"{percent(required)} required"),)
    return Strip(
        ends=("0\u00a0%", "100\u00a0%"),
        interval=(judgement.low, judgement.high),
        point=share,
        wanted=(0.0, 0.0) if required is None else (required, 1.0),
        limits=limits,
        says="; ".join([says, *(limit.says for limit in limits)]),
    )


def deciding_strip(judgement: Judgement, predicts: Estimand | None) -> Strip | None:
    """The deciding share or average; None if there are no finite numbers to draw."""
    if judgement.required is not None or not isinstance(predicts, Average):
        return share_strip(judgement)
    which = shown_average(judgement, predicts)
    estimate, low, high = of_average(judgement.effect, which)
    if estimate is None or low is None or high is None or not (isfinite(low) and isfinite(high)):
        return None
    least, most = _wanted(predicts)
    bounds = _bounds(predicts)
    line = Line.through([estimate, low, high, *(value for value, _ in bounds)])
    limits = tuple(Limit(line.place(value), says) for value, says in bounds)
    said = f"{which} {estimate:.3g} ({low:.3g} to {high:.3g})"
    return Strip(
        ends=line.ends,
        interval=(line.place(low), line.place(high)),
        point=line.place(estimate),
        wanted=(line.place(least), line.place(most)),
        limits=limits,
        says="; ".join([said, *(limit.says for limit in limits)]),
    )


def row_strip(row: Row) -> Strip:
    """A row of the gate: the difference, and the margin on both sides of zero."""
    known = [value for value in (row.low, row.high) if value is not None]
    line = Line.through([row.difference, *known, -row.margin, row.margin])
    low, high = (None if bound is None else line.place(bound) for bound in (row.low, row.high))
    return Strip(
        ends=line.ends,
        interval=(0.0 if low is None else low, 1.0 if high is None else high),
        point=line.place(row.difference),
        wanted=(line.place(-row.margin), line.place(row.margin)),
        limits=tuple(Limit(line.place(side), f"margin {row.margin:g}") for side in (-row.margin, row.margin)),
        says=f"difference {row.difference:+.3g}, interval {_bound(row.low)} to {_bound(row.high)}, margin {row.margin:g}",
    )


@dataclass(frozen=True)
class Line:
    """A scale between two round numbers."""

    low: float
    high: float
    digits: int

    @classmethod
    def through(cls, numbers: Sequence[float]) -> "Line":
        """The shortest line that contains all numbers, with 6 % of room at each end, and ends at round numbers.

        >>> Line.through([0.0131, 0.00813, 0.0182, 0.0, 0.02]).ends
        ('-0.002', '0.022')
        """
        low, high = min(numbers), max(numbers)
        span = (high - low) or abs(high) or 1.0
        digits = 1 - floor(log10(span))
        step = 10.0**-digits
        room = 0.06 * span
        return cls(floor((low - room) / step) * step, -floor(-(high + room) / step) * step, digits)

    @property
    def ends(self) -> tuple[str, str]:
        """The labels of its two ends."""
        return self._written(self.low), self._written(self.high)

    def place(self, value: float) -> float:
        """Position of a number in [0, 1]; numbers beyond an end are placed at that end."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def _written(self, value: float) -> str:
        if abs(value) >= 1e5 or self.digits > 6:
            # as many figures as tell the ends of this line apart: -1.003e+09 beside -9e+08 is not -1e+09
            return f"{value:.{max(3, floor(log10(abs(value) or 1.0)) + self.digits + 1)}g}"
        return f"{round(value, self.digits) + 0.0:.{max(self.digits, 0)}f}"


def _wanted(predicts: Average) -> tuple[float, float]:
    """The range in which an average is as claimed and large enough to be worth a claim."""
    least = float("-inf") if predicts.floor is None else predicts.floor + predicts.worth
    most = float("inf") if predicts.ceiling is None else predicts.ceiling - predicts.worth
    return least, most


def _bounds(predicts: Average) -> list[tuple[float, str]]:
    """The deciding numbers with their labels: limits, or the smallest effect worth a claim."""
    least, most = _wanted(predicts)
    word = "required" if not predicts.worth else "worth a claim"
    bounds = [(least, f"at least {least:.3g} {word}"), (most, f"at most {most:.3g} {word}")]
    zero = [(0.0, "no effect at 0")] if predicts.worth and 0.0 in (predicts.floor, predicts.ceiling) else []
    return [*zero, *((value, says) for value, says in bounds if isfinite(value))]


def _bound(value: float | None) -> str:
    return "without bound" if value is None else f"{value:+.3g}"
