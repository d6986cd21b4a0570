"""A curve over steps in the terminal, with its scale, a dotted level, and marks on the axis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spikecheck.report.braille import Canvas

LABEL = 9
"""Characters of a scale's labels, before the curve."""


@dataclass(frozen=True)
class Axis:
    """Steps from first to last over so many characters."""

    first: int
    last: int
    width: int
    ascii_only: bool

    @property
    def columns(self) -> int:
        """Characters of the curve itself."""
        return max(20, self.width - LABEL - 1)

    def across(self, step: int, places: int) -> int:
        """Where a step lies among so many places."""
        return round((places - 1) * (step - self.first) / max(self.last - self.first, 1))


def curve(
    axis: Axis,
    points: Sequence[tuple[int, float]],
    rows: int,
    label: Callable[[float], str],
    level: float | None = None,
) -> list[str]:
    """Lines of one panel; a `level` is always in view. Of many points in one column the range is drawn."""
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
    """The axis with a character at each mark, and the steps it spans."""
    line = list(("-" if axis.ascii_only else "─") * axis.columns)
    for step, mark in marks:
        line[axis.across(step, axis.columns)] = mark
    corner = "+" if axis.ascii_only else "└"
    return [f"{'step':>{LABEL}}{corner}{''.join(line)}", f"{'':>{LABEL}} {axis.first:,} to {axis.last:,}"]
