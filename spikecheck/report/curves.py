"""Curves over steps in the terminal: a scale, a dotted level, and marks on the step axis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spikecheck.report.braille import Canvas

LABEL = 9
"""Width of the scale's labels left of the curve, in characters."""


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
        points: pairs of step and value.
        rows: height of the panel, in characters.
        label: writes a value of the scale.
        level: a value drawn as a dotted line; the panel's range always includes it.
    """
    shown = [value for _, value in points] + ([] if level is None else [level])
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    canvas = Canvas(axis.columns, rows)

    def down(value: float) -> int:
        return round((4 * rows - 1) * (high - value) / ((high - low) or 1.0))

    if level is not None:
        canvas.dotted(down(level))
    canvas.curve([(axis.across(step, 2 * axis.columns), down(value)) for step, value in points])
    scale = {rows - 1: label(low), 0: label(high)}
    if level is not None:
        scale.setdefault(down(level) // 4, label(level))
    bar = "|" if axis.ascii_only else "│"
    lines = canvas.lines(ascii_only=axis.ascii_only)
    return [f"{scale.get(row, ''):>{LABEL}}{bar}{line}".rstrip() for row, line in enumerate(lines)]


def step_axis(axis: Axis, marks: Sequence[tuple[int, str]]) -> list[str]:
    """The step axis: one character at each mark, and below it the range of steps."""
    line = list(("-" if axis.ascii_only else "─") * axis.columns)
    for step, mark in marks:
        line[axis.across(step, axis.columns)] = mark
    corner = "+" if axis.ascii_only else "└"
    return [f"{'step':>{LABEL}}{corner}{''.join(line)}", f"{'':>{LABEL}} {axis.first:,} to {axis.last:,}"]
