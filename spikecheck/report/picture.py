"""A typical run in the terminal: the loss, and beneath it how sharp the landscape is for the learning rate."""

import math
from collections.abc import Sequence

from spikecheck.core.verdict import Trace
from spikecheck.report.braille import Canvas

_LABEL = 9
_LOSS_ROWS, _SHARPNESS_ROWS = 7, 5


def picture(trace: Trace, width: int = 80, ascii_only: bool = False) -> list[str]:
    """Lines of at most `width` characters: loss (log scale) over lr x lambda_max, onset, peak and recovery marked."""
    columns = max(20, min(width, 100) - _LABEL - 1)
    last = max([*trace.steps, *trace.sharpness_steps, 1])
    logs = [math.log10(max(value, 1e-300)) for value in trace.loss]
    relative = [2.0 * value / trace.threshold for value in trace.sharpness]
    unit = "lr x lambda" if ascii_only else "η·λ_max"
    lines = [f"{'loss':>{_LABEL}} (log scale), seed {trace.seed}"]
    lines += _panel(trace.steps, logs, last, columns, _LOSS_ROWS, ascii_only, "1e{:.1f}")
    lines += [f"{unit:>{_LABEL}} (dotted: 2, where stability ends)"]
    lines += _panel(trace.sharpness_steps, relative, last, columns, _SHARPNESS_ROWS, ascii_only, "{:.2f}", level=2.0)
    return [*lines, *_axis(trace, last, columns, ascii_only)]


def _panel(
    steps: Sequence[int],
    values: Sequence[float],
    last: int,
    columns: int,
    rows: int,
    ascii_only: bool,
    form: str,
    level: float | None = None,
) -> list[str]:
    shown = [*values, *([] if level is None else [level])]
    low, high = min(shown, default=0.0), max(shown, default=1.0)
    span = (high - low) or 1.0
    canvas = Canvas(columns, rows)

    def across(step: int) -> int:
        return round((2 * columns - 1) * step / last)

    def down(value: float) -> int:
        return round((4 * rows - 1) * (high - value) / span)

    if level is not None:
        canvas.dotted(down(level))
    canvas.curve([(across(step), down(value)) for step, value in zip(steps, values, strict=True)])
    labels = {0: form.format(high), rows - 1: form.format(low)}
    bar = "|" if ascii_only else "│"
    return [f"{labels.get(row, ''):>{_LABEL}}{bar}{line}" for row, line in enumerate(canvas.lines(ascii_only))]


def _axis(trace: Trace, last: int, columns: int, ascii_only: bool) -> list[str]:
    """The step axis with its marks, and what they are."""
    marks = {"o": trace.onset, "p": trace.peak, "r": trace.recovery}
    line = list(("-" if ascii_only else "─") * columns)
    for mark, step in marks.items():
        if step is not None:
            column = min(columns - 1, round((columns - 1) * step / last))
            while column < columns - 1 and line[column] in marks:
                column += 1
            line[column] = mark
    corner = "+" if ascii_only else "└"
    named = {"onset": trace.onset, "peak": trace.peak, "recovery": trace.recovery}
    said = ", ".join(f"{name[0]} {name} {step}" for name, step in named.items() if step is not None)
    return [f"{'step':>{_LABEL}}{corner}{''.join(line)}", f"{'':>{_LABEL}} 0 to {last}; first spike: {said or 'none'}"]
