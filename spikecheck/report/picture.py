"""A typical run in the terminal: the loss, and beneath it how sharp the landscape is for the learning rate."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spikecheck.core.verdict import Trace
from spikecheck.report.braille import Canvas

_LABEL = 9
_LOSS_ROWS, _SHARPNESS_ROWS = 7, 5
_TINY = 1e-300
"""Stands in for a loss of exactly zero, which has no logarithm."""


@dataclass(frozen=True)
class Frame:
    """What both panels share: the step axis, its width in characters, and which characters there are."""

    first: int
    last: int
    columns: int
    ascii_only: bool

    def across(self, step: int) -> int:
        """A step's place among the columns."""
        return round((self.columns - 1) * self._share(step))

    def dots(self, step: int) -> int:
        """A step's place among the dots, two a column."""
        return round((2 * self.columns - 1) * self._share(step))

    def _share(self, step: int) -> float:
        return (step - self.first) / max(self.last - self.first, 1)


def picture(trace: Trace, width: int = 80, ascii_only: bool = False, heading: str = "") -> list[str]:
    """Lines of at most `width` characters: loss (log scale) over 2 x sharpness / threshold, the first spike marked.

    `heading` stands over the loss; it is a typical run's where none is given.

    For gradient descent the lower curve is the learning rate times the sharpness; a run is unstable where it exceeds 2.
    """
    steps = [*trace.steps, *trace.sharpness_steps]
    columns = max(20, min(width, 100) - _LABEL - 1)
    frame = Frame(min(steps, default=0), max(steps, default=1), columns, ascii_only)
    logs = [math.log10(max(value, _TINY)) for value in trace.loss]
    return [
        heading or f"A typical run (seed {trace.seed}): loss, log scale",
        *_panel(frame, trace.steps, logs, _LOSS_ROWS, lambda log: f"{10.0**log:.2g}"),
        *_lower(frame, trace),
        *_axis(frame, trace),
    ]


def _lower(frame: Frame, trace: Trace) -> list[str]:
    """The sharpness: as it is where no threshold is known, else so that the run is unstable above 2."""
    if trace.threshold is None:
        return [
            "sharpness; no stability threshold is known for this optimizer",
            *_panel(frame, trace.sharpness_steps, trace.sharpness, _SHARPNESS_ROWS, lambda value: f"{value:.3g}"),
        ]
    name = "learning rate x sharpness" + ("" if frame.ascii_only else ", η·λ_max")
    if not math.isclose(trace.threshold * trace.lr, 2.0):
        name = "2 x sharpness / its stability threshold"
    relative = [2.0 * value / trace.threshold for value in trace.sharpness]
    return [
        f"{name}; dotted: 2, above which the run is unstable",
        *_panel(frame, trace.sharpness_steps, relative, _SHARPNESS_ROWS, lambda value: f"{value:.2f}", level=2.0),
    ]


def _panel(
    frame: Frame,
    steps: Sequence[int],
    values: Sequence[float],
    rows: int,
    label: Callable[[float], str],
    level: float | None = None,
) -> list[str]:
    """One curve with its scale; a `level` is always in view, as a dotted line."""
    shown = [*values, *([] if level is None else [level])]
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    canvas = Canvas(frame.columns, rows)

    def down(value: float) -> int:
        return round((4 * rows - 1) * (high - value) / ((high - low) or 1.0))

    if level is not None:
        canvas.dotted(down(level))
    canvas.curve([(frame.dots(step), down(value)) for step, value in zip(steps, values, strict=True)])
    scale = {rows - 1: label(low), 0: label(high)}
    if level is not None:
        scale.setdefault(down(level) // 4, label(level))
    bar = "|" if frame.ascii_only else "│"
    lines = canvas.lines(ascii_only=frame.ascii_only)
    return [f"{scale.get(row, ''):>{_LABEL}}{bar}{line}".rstrip() for row, line in enumerate(lines)]


def _axis(frame: Frame, trace: Trace) -> list[str]:
    """The step axis with the first spike's marks, and what they are."""
    marks = {"o": trace.onset, "p": trace.peak, "r": trace.recovery}
    line = list(("-" if frame.ascii_only else "─") * frame.columns)
    free = 0
    for mark, step in marks.items():
        if step is not None:
            column = min(max(frame.across(step), free), frame.columns - 1)
            line[column], free = mark, column + 1
    corner = "+" if frame.ascii_only else "└"
    named = {"o onset": trace.onset, "p peak": trace.peak, "r recovery": trace.recovery}
    said = ", ".join(f"{name} {step}" for name, step in named.items() if step is not None)
    return [
        f"{'step':>{_LABEL}}{corner}{''.join(line)}",
        f"{'':>{_LABEL}} {frame.first} to {frame.last}; first spike: {said or 'none'}",
    ]
