"""Why a loss spiked, in the terminal: the sentence, the picture, the arms, the remedies, and what the answer cannot show."""

import math
from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from spikecheck.core.why import Answer, ArmResult
from spikecheck.report.braille import Canvas
from spikecheck.report.curves import LABEL, Axis, curve, down, step_axis
from spikecheck.report.page import Page
from spikecheck.report.sanitize import inert
from spikecheck.report.why_words import (
    COLUMNS,
    MEANING,
    STYLES,
    cells,
    forks_say,
    is_told,
    layers_say,
    not_applying,
    overlaid,
    overshoot_says,
    remedies_say,
    spike_says,
)

_ROWS = 6
"""Of a panel."""

Points = list[tuple[int, float]]


def render_why(answer: Answer, page: Page) -> None:
    """Print the whole answer."""
    page.say(inert(answer.sentence), "bold green" if is_told(answer) else "bold yellow")
    for line in filter(None, (spike_says(answer), forks_say(answer))):
        page.say(line, "dim")
    _pictures(answer, page)
    if answer.arms:
        page.blank()
        page.console.print(_table(answer), highlight=False)
        page.say(MEANING, "dim")
    _listed("Remedies that were tried, the cheapest first", remedies_say(answer), page)
    _listed("Before the spike", [*filter(None, [overshoot_says(answer)]), *layers_say(answer, 3)], page)
    _listed("Arms that do not apply", not_applying(answer), page)
    _listed("What this cannot tell", [inert(note) for note in answer.notes], page)


def _listed(title: str, lines: Sequence[str], page: Page) -> None:
    if lines:
        page.blank()
        page.say(title, "cyan")
        for line in lines:
            page.say(line, indent=2)


def _table(answer: Answer) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(COLUMNS):
        table.add_column(column, header_style="cyan", justify="left" if number < 2 else "right", no_wrap=number > 0)
    for arm in answer.arms:
        table.add_row(*(Text(cell, style=STYLES[arm.effect]) for cell in cells(arm)))
    return table


def _pictures(answer: Answer, page: Page) -> None:
    shown = [(step, loss) for step, loss in answer.losses if loss is not None]
    if len(shown) < 2:
        return
    axis = Axis(answer.losses[0][0], answer.losses[-1][0], page.width, page.ascii_only)
    positive = all(loss > 0.0 for _, loss in shown)
    _panel(
        f"loss of the run{', log scale' if positive else ''}",
        curve(axis, _scaled(shown, positive), _ROWS, _label(positive)),
        page,
    )
    for arm in overlaid(answer):
        says = f"forks, {inert(arm.name)}: {len(arm.forks)} laid over each other, on the same scale"
        _panel(says, list(_laid_over(answer, arm, axis, _scaled(shown, positive), positive)), page)
    if answer.signs.overshoots:
        drawn = [(step, min(max(value, -1.0), 3.0)) for step, value in answer.signs.overshoots]
        _panel(
            "overshoot before the spike; above the dotted 1 a step raises its own batch's loss",
            curve(axis, drawn, 3, "{:.1f}".format, 1.0),
            page,
        )
    marks = [(answer.start, "f"), (answer.spike.onset, "o")] if answer.spike and answer.start is not None else []
    for line in step_axis(axis, marks):
        page.verbatim(line)
    if marks:
        page.say("f: the forks begin; o: the spike begins", "dim")


def _panel(title: str, lines: Sequence[str], page: Page) -> None:
    page.blank()
    page.say(title, "cyan")
    for line in lines:
        page.verbatim(line)


def _laid_over(answer: Answer, arm: ArmResult, axis: Axis, run: Points, positive: bool) -> Iterator[str]:
    """All forks of an arm in one panel that has the scale of the run's."""
    low, high = min(value for _, value in run), max(value for _, value in run)
    canvas = Canvas(axis.columns, _ROWS)
    for fork in arm.forks:
        points = [(step, loss) for step, loss in enumerate(fork.losses, answer.start or 0) if loss is not None]
        heights = _scaled([(step, loss) for step, loss in points if loss > 0.0 or not positive], positive)
        canvas.curve([(axis.across(step, 2 * axis.columns), down(value, low, high, _ROWS)) for step, value in heights])
    bar = "|" if axis.ascii_only else "│"
    label = _label(positive)
    for row, line in enumerate(canvas.lines(ascii_only=axis.ascii_only)):
        scale = {0: label(high), _ROWS - 1: label(low)}.get(row, "")
        yield f"{scale:>{LABEL}}{bar}{line}".rstrip()


def _scaled(points: Sequence[tuple[int, float]], positive: bool) -> Points:
    return [(step, math.log10(loss) if positive else loss) for step, loss in points]


def _label(positive: bool):  # type: ignore[no-untyped-def]
    return (lambda log: f"{10.0**log:.3g}") if positive else (lambda value: f"{value:.3g}")
