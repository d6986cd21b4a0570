"""A run in the terminal: the loss above, sharpness relative to the stability threshold below."""

import math
from collections.abc import Sequence

from spikecheck.core.verdict import Trace
from spikecheck.report.curves import LABEL, Axis, curve

_LOSS_ROWS, _SHARPNESS_ROWS = 7, 5
_TINY = 1e-300
"""Replaces a loss of exactly zero, which has no logarithm."""


def picture(trace: Trace, width: int = 80, ascii_only: bool = False, heading: str = "") -> list[str]:
    """Draw the loss (log scale) and 2 x sharpness / threshold, with marks at the first spike.

    For gradient descent the lower curve is learning rate times sharpness. A run is unstable where it exceeds 2.

    Args:
        trace: what to draw.
        width: longest line, in characters.
        ascii_only: whether to avoid Unicode.
        heading: line above the loss; by default that of a typical run.
    """
    steps = [*trace.steps, *trace.sharpness_steps]
    axis = Axis(min(steps, default=0), max(steps, default=1), min(width, 100), ascii_only)
    logs = [math.log10(max(value, _TINY)) for value in trace.loss]
    return [
        heading or f"A typical run (seed {trace.seed}): loss, log scale",
        *curve(axis, _points(trace.steps, logs), _LOSS_ROWS, lambda log: f"{10.0**log:.2g}"),
        *_lower(axis, trace),
        *_step_axis(axis, trace),
    ]


def _lower(axis: Axis, trace: Trace) -> list[str]:
    """The lower panel: 2 x sharpness / threshold, or the sharpness itself if no threshold is known."""
    if not trace.threshold:  # nothing can be divided by 0 either
        return [
            "sharpness; no stability threshold is known for this optimizer",
            *curve(
                axis, _points(trace.sharpness_steps, trace.sharpness), _SHARPNESS_ROWS, lambda value: f"{value:.3g}"
            ),
        ]
    name = "learning rate x sharpness" + ("" if axis.ascii_only else ", η·λ_max")
    if not math.isclose(trace.threshold * trace.lr, 2.0):
        name = "2 x sharpness / its stability threshold"
    relative = [2.0 * value / trace.threshold for value in trace.sharpness]
    return [
        f"{name}; dotted: 2, above which the run is unstable",
        *curve(
            axis, _points(trace.sharpness_steps, relative), _SHARPNESS_ROWS, lambda value: f"{value:.2f}", level=2.0
        ),
    ]


def _step_axis(axis: Axis, trace: Trace) -> list[str]:
    """The step axis with marks at the first spike, and their meaning."""
    marks = {"o": trace.onset, "p": trace.peak, "r": trace.recovery}
    line = list(("-" if axis.ascii_only else "─") * axis.columns)
    free = 0
    for mark, step in marks.items():
        if step is not None:
            column = min(max(axis.across(step, axis.columns), free), axis.columns - 1)
            line[column], free = mark, column + 1
    corner = "+" if axis.ascii_only else "└"
    named = {"o onset": trace.onset, "p peak": trace.peak, "r recovery": trace.recovery}
    said = ", ".join(f"{name} {step}" for name, step in named.items() if step is not None)
    return [
        f"{'step':>{LABEL}}{corner}{''.join(line)}",
        f"{'':>{LABEL}} {axis.first} to {axis.last}; first spike: {said or 'none'}",
    ]


def _points(steps: Sequence[int], values: Sequence[float]) -> list[tuple[int, float]]:
    return list(zip(steps, values, strict=True))
