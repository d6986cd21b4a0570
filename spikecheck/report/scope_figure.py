"""A map as a figure. Every cell has a shade and figures, so that it can be read in black and white."""

import textwrap
import warnings
from io import BytesIO
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from spikecheck.core.judgement import Judgement
from spikecheck.core.scope import Axis, Reading, Scope, reading
from spikecheck.core.setting import Setting
from spikecheck.report.axes import labels, title
from spikecheck.report.cells import ABOVE, BELOW, DECIDED, Colour, face, fill, ink
from spikecheck.report.estimates import decider
from spikecheck.report.phrases import conditions, percent
from spikecheck.report.sanitize import inert

Form = Literal["png", "svg"]

# Sizes in inches. A cell has room for three lines.
_CELL_ACROSS, _CELL_UP = 1.15, 0.72
_BAR, _BESIDE, _ABOVE = 0.2, 1.7, 2.2
_CHARACTER = 0.08
_LONGEST_HEAD, _LONGEST_SIDE = 15, 26
"""Width at which an axis label is wrapped, in characters. Labels of more than three lines are cut."""
_SHORT = 12
"""Longest interval that fits a cell at the larger font size, in characters."""
_HATCHES = {Reading.UNTRIGGERED: "///", Reading.LOST: "xxx"}
_GREY = "#b0b0b0"


def draw(scope: Scope, reference: Setting, heading: str) -> Figure:
    """Draw the grid of cells, the first value of y at the bottom. `heading` names the claim."""
    columns, rows = len(scope.x.values), len(scope.y.values)
    heads, sides = _wrapped(scope.x, _LONGEST_HEAD), _wrapped(scope.y, _LONGEST_SIDE)
    beside = _BESIDE + _CHARACTER * max(len(line) for side in sides for line in side.splitlines() or [""])
    width = columns * _CELL_ACROSS + beside
    figure = Figure(figsize=(width, rows * _CELL_UP + _ABOVE), layout="constrained")
    cells, bar = figure.subplots(1, 2, width_ratios=[columns * _CELL_ACROSS, _BAR])
    for row in range(rows):
        for column in range(columns):
            _cell(cells, column, row, scope.cell(column, row))
    _frame(cells, scope, heads, sides)
    _key(cells, scope, reference)
    if (required := scope.cells[0].required) is None:
        bar.set_axis_off()
    else:
        _bar(figure, bar, required)
    figure.suptitle(textwrap.fill(inert(heading), int(11 * width)), fontsize=10, parse_math=False)
    elsewhere = conditions(scope.centre, without=(scope.x.name, scope.y.name))
    which = decider(scope.cells[0]).replace("share", "median")
    unit = inert(scope.cells[0].effect.unit)
    said = f"{scope.seeds} seeds a cell; the {which} is that of: {unit}. Elsewhere: {elsewhere}"
    figure.supxlabel(textwrap.fill(said, int(15 * width)), fontsize=7, parse_math=False)
    return figure


def drawn(scope: Scope, reference: Setting, heading: str, form: Form = "png") -> bytes:
    """The figure as bytes of a file. Equal maps give equal bytes."""
    out = BytesIO()
    unsigned = {"Software": None} if form == "png" else {"Date": None, "Creator": None}
    with mpl.rc_context({"svg.hashsalt": "spikecheck"}), warnings.catch_warnings():
        # matplotlib draws a box for a character that the font lacks; the warning adds nothing.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        draw(scope, reference, heading).savefig(out, format=form, dpi=110, metadata=unsigned)
    return out.getvalue()


def _cell(axes: Axes, column: int, row: int, cell: Judgement) -> None:
    """Draw counts, interval and average on the cell's shade. Lost and untriggered cells are hatched instead."""
    background, hatch = fill(cell), _HATCHES.get(reading(cell))
    shaded = "white" if background is None else _unit(background)
    axes.add_patch(Rectangle((column, row), 1, 1, facecolor=shaded, edgecolor=_GREY, hatch=hatch, linewidth=0.5))
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 1.5} if hatch else None
    written, colour = face(cell), _unit(ink(background))
    for text, height, size in (
        (written.count, 0.72, 10),
        (written.interval, 0.44, 9 if len(written.interval) <= _SHORT else 7),
    ):
        axes.text(column + 0.5, row + height, text, ha="center", va="center", size=size, color=colour, bbox=behind)
    if not hatch and written.average:
        axes.text(column + 0.5, row + 0.18, written.average, ha="center", va="center", size=6.5, color=colour)


def _frame(axes: Axes, scope: Scope, heads: list[str], sides: list[str]) -> None:
    """Draw names and values of both axes. Cells are evenly spaced, whatever the values."""
    axes.set(xlim=(0, len(heads)), ylim=(0, len(sides)))
    across, up = int(12 * len(heads) * _CELL_ACROSS), int(12 * len(sides) * _CELL_UP)
    for axis, name, shown, room in ((axes.xaxis, scope.x.name, heads, across), (axes.yaxis, scope.y.name, sides, up)):
        axis.set_ticks([number + 0.5 for number in range(len(shown))], shown, size=9, parse_math=False)
        axis.set_label_text(textwrap.fill(title(name), room), parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _wrapped(axis: Axis, longest: int) -> list[str]:
    folded = [textwrap.wrap(label, longest) for label in labels(axis.values)]
    return ["\n".join([*lines[:2], lines[2][:-1] + "…"] if len(lines) > 3 else lines) for lines in folded]


def _bar(figure: Figure, axes: Axes, required: float) -> None:
    """Draw the scale of shades from 0 to 1, with the required share in the middle."""
    shades = LinearSegmentedColormap.from_list("share", [_unit(colour) for colour in (*BELOW, *ABOVE[1:])])
    bar = figure.colorbar(ScalarMappable(TwoSlopeNorm(required, 0.0, 1.0), shades), cax=axes)
    ticks = [0.0, required / 2, required, (1.0 + required) / 2, 1.0]
    bar.set_ticks(ticks, labels=[percent(share) for share in ticks], size=8)
    bar.ax.axhline(required, color="black", linewidth=1.5)
    bar.set_label(f"share of seeds that held; {percent(required)} required", size=8)


def _key(axes: Axes, scope: Scope, reference: Setting) -> None:
    """Outline the reference cell, and explain the marks that occur."""
    marks = _outcomes(scope)
    if (place := scope.place(reference)) is not None:
        column, row = place
        axes.add_patch(
            Rectangle((column + 0.025, row + 0.035), 0.95, 0.93, fill=False, edgecolor="black", linewidth=2.5)
        )
        marks.append(Patch(fill=False, edgecolor="black", linewidth=2.5, label="the reference setting"))
    states = {reading(cell) for cell in scope.cells}
    said = {
        Reading.UNTRIGGERED: f"untriggered: applies to n < {scope.fewest} seeds",
        Reading.LOST: "lost: numerical failures in most seeds",
    }
    for state, text in said.items():
        if state in states:
            marks.append(Patch(facecolor="white", edgecolor=_GREY, hatch=_HATCHES[state], label=text))
    if marks:
        beside = max(1, len(scope.x.values) // 2)
        axes.legend(handles=marks, loc="lower left", bbox_to_anchor=(0, 1), fontsize=7, frameon=False, ncols=beside)


def _outcomes(scope: Scope) -> list[Patch]:
    """Legend of the shades that occur in cells decided by an average."""
    outcomes = {cell.outcome for cell in scope.cells if cell.required is None and reading(cell) is Reading.JUDGED}
    return [
        Patch(facecolor=_unit(colour), edgecolor=_GREY, label=f"the {decider(scope.cells[0])} decides: {outcome}")
        for outcome, colour in DECIDED.items()
        if outcome in outcomes
    ]


def _unit(colour: Colour) -> tuple[float, float, float]:
    """A colour in matplotlib's form: each part is in 0 to 1."""
    return colour.red / 255, colour.green / 255, colour.blue / 255
