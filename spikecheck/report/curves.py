"""Curves over steps in the terminal: a scale, a dotted level, and marks on the step axis."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spikecheck.report.braille import Canvas

LABEL = 9
"""Width of the scale's labels left of the curve, in characters."""
_SCALE = 1_024.0
"""Values are divided by it, so that no difference of two, times the dots of a panel's height, exceeds the largest float.
A power of two, which divides without rounding."""


@dataclass(frozen=True)
class Axis:
    """A step axis from `first` to `last`; `width` characters include the scale's labels."""

    first: int
    last: int
    width: int
    ascii_only: bool

    @property
    def columns(self) -> int:
        """Width of the curve itself, in characters."""
        return max(20, self.width - LABEL - 1)

    def across(self, step: int, places: int) -> int:
        """Position of a step on an axis with `places` positions, from 0."""
        return round((places - 1) * (step - self.first) / max(self.last - self.first, 1))


def curve(
    axis: Axis,
    points: Sequence[tuple[int, float]],
    rows: int,
    label: Callable[[float], str],
    level: float | None = None,
) -> list[str]:
    """Draw one panel as lines of text. Points that share a column are drawn as their range.

    Args:
        axis: the step axis.
        points: pairs of step and value; those of infinite and NaN values are left out.
        rows: height of the panel, in characters.
        label: writes a value of the scale.
        level: a value drawn as a dotted line; the panel's range always includes it.
    """
    points = [(step, value) for step, value in points if math.isfinite(value)]
    shown = [value for _, value in points] + ([] if level is None else [level])
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    canvas = Canvas(axis.columns, rows)
    if level is not None:
        canvas.dotted(down(level, low, high, rows))
    canvas.curve([(axis.across(step, 2 * axis.columns), down(value, low, high, rows)) for step, value in points])
    scale = {rows - 1: label(low), 0: label(high)}
    if level is not None:
        scale.setdefault(down(level, low, high, rows) // 4, label(level))
    bar = "|" if axis.ascii_only else "│"
    lines = canvas.lines(ascii_only=axis.ascii_only)
    return [f"{scale.get(row, ''):>{LABEL}}{bar}{line}".rstrip() for row, line in enumerate(lines)]


def down(value: float, low: float, high: float, rows: int) -> int:
    """Dots from the top of a panel of so many rows, whose scale is `low` to `high`; a value beyond it is drawn at its edge.

    >>> down(2.0, low=0.0, high=2.0, rows=1), down(0.0, low=0.0, high=2.0, rows=1), down(-9.0, low=0.0, high=2.0, rows=1)
    (0, 3, 3)
    """
    away, span = high / _SCALE - min(max(value, low), high) / _SCALE, high / _SCALE - low / _SCALE
    return round((4 * rows - 1) * away / (span or 1.0))


def step_axis(axis: Axis, marks: Sequence[tuple[int, str]]) -> list[str]:
    """The step axis: one character at each mark, and below it the range of steps."""
    line = list(("-" if axis.ascii_only else "─") * axis.columns)
    for step, mark in marks:
        line[axis.across(step, axis.columns)] = mark
    corner = "+" if axis.ascii_only else "└"
    return [f"{'step':>{LABEL}}{corner}{''.join(line)}", f"{'':>{LABEL}} {axis.first:,} to {axis.last:,}"]
