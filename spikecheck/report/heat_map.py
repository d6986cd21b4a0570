"""A map in the terminal: one cell a setting, laid out as in the figure. It is readable without colour and in ASCII."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from spikecheck.core.judgement import Judgement, Outcome
from spikecheck.core.scope import Axis, Reading, Scope, reading
from spikecheck.core.setting import Setting
from spikecheck.report.axes import labels, title
from spikecheck.report.cells import DECIDED, Colour, face, fill, ink, shade, sign
from spikecheck.report.estimates import decider
from spikecheck.report.page import Page
from spikecheck.report.phrases import conditions, percent

_INDENT = 2
_LONGEST_SIDE, _LONGEST_HEAD = 24, 16
"""Longest label of a row and of a column, in characters. Longer ones are replaced by keys."""
_SCALE = 10
"""Characters of each half of the scale of shades."""


@dataclass(frozen=True)
class Layout:
    """Labels and widths of a map's rows and columns."""

    heads: Sequence[str]
    """Column labels, from left to right."""
    sides: Sequence[str]
    """Row labels, from the bottom up."""
    column: int
    """Width of a column in characters, including one on each side for a mark."""
    columns: int
    """Columns side by side; the rest is printed in further panels below."""

    @property
    def side(self) -> int:
        """Width left of the cells, in characters."""
        return _INDENT + max(map(cell_len, self.sides)) + 1


def show_scope(page: Page, scope: Scope, reference: Setting) -> None:
    """Print a map, its keys, and the conditions that it does not vary."""
    layout, place = _layout(page, scope), scope.place(reference)
    columns = range(len(layout.heads))
    for first in columns[:: layout.columns]:
        _panel(page, scope, layout, columns[first : first + layout.columns], place)
        page.blank()
    for axis, shown in ((scope.x, layout.heads), (scope.y, layout.sides)):
        keyed = [f"{key}: {label}" for key, label in zip(shown, labels(axis.values), strict=True) if key != label]
        page.rows(axis.name, keyed)
    if place is None:
        page.row("reference", "no cell of this map")
    page.row("elsewhere", conditions(scope.centre, without=(scope.x.name, scope.y.name)))


def show_legend(page: Page, scopes: Sequence[Scope], reference: Setting) -> None:
    """Print the meaning of the signs and shades that occur in these maps."""
    cells = [cell for scope in scopes for cell in scope.cells]
    page.row("in a cell", bounds_say(cells[0]))
    page.rows("signs", _signs(page, cells, scopes[0].fewest))
    if any(scope.place(reference) for scope in scopes):
        page.row("", "[ ] the reference setting")
    if page.console.color_system is not None:
        page.row("shade", _shades(cells[0]))


def bounds_say(cell: Judgement) -> str:
    """The meaning of a cell's two lines."""
    what = "share" if cell.required is not None else decider(cell)
    decisive = "" if cell.required is not None else ", which decides"
    return f"seeds that held / seeds it applies to; the {what}'s bounds, each at {percent(cell.level)}{decisive}"


def _layout(page: Page, scope: Scope) -> Layout:
    sides = _keyed(scope.y, "y", min(_LONGEST_SIDE, page.width // 3))
    heads = _keyed(scope.x, "x", _LONGEST_HEAD)
    faces = [face(cell, ascii_only=page.ascii_only) for cell in scope.cells]
    column = max([*(shown.width for shown in faces), *map(cell_len, heads)]) + 2
    room = page.console.width - Layout(heads, sides, column, 1).side
    most = max(room // column, 1)
    panels = -(-len(heads) // most)
    return Layout(heads, sides, column, -(-len(heads) // panels))


def _keyed(axis: Axis, mark: str, longest: int) -> list[str]:
    """The axis's values as labels; long ones are replaced by keys such as x1, which are explained below the map."""
    shown = enumerate(labels(axis.values), start=1)
    return [label if cell_len(label) <= longest else f"{mark}{number}" for number, label in shown]


def _panel(page: Page, scope: Scope, layout: Layout, columns: Sequence[int], reference: tuple[int, int] | None) -> None:
    """Some columns of the map, y's first value at the bottom."""
    page.say(title(scope.y.name), "cyan", indent=_INDENT)
    for row in reversed(range(len(layout.sides))):
        cells = [
            _written(page, scope.cell(column, row), layout.column, marked=(column, row) == reference)
            for column in columns
        ]
        for side, parts in zip((layout.sides[row], ""), zip(*cells, strict=True), strict=True):
            page.verbatim(Text.assemble((set_cell_size(" " * _INDENT + side, layout.side), "cyan"), *parts))
    heads = "".join(set_cell_size(f" {layout.heads[column]}", layout.column) for column in columns)
    page.verbatim(Text(" " * layout.side + heads, style="cyan"))
    page.say(title(scope.x.name), "cyan", indent=layout.side + 1)


def _written(page: Page, cell: Judgement, width: int, *, marked: bool) -> tuple[Text, Text]:
    """A cell's two lines; brackets mark the reference setting."""
    left, right = "[]" if marked else "  "
    lines, background = face(cell, ascii_only=page.ascii_only), fill(cell)
    style = "dim" if background is None else f"{_named(ink(background))} on {_named(background)}"
    above, below = (Text(f"{left}{text:<{width - 2}}{right}", style) for text in (lines.count, lines.interval))
    return above, below


def _signs(page: Page, cells: Iterable[Judgement], fewest: int) -> Iterable[str]:
    """Every sign that occurs, with its meaning."""
    states = {(reading(cell), cell.outcome) for cell in cells}
    judged = [o for o in Outcome if (Reading.JUDGED, o) in states]
    if judged:
        yield ", ".join(f"{sign(outcome, ascii_only=page.ascii_only)} {outcome}" for outcome in judged)
    if any(state is Reading.UNTRIGGERED for state, _ in states):
        mark = sign(Outcome.UNTRIGGERED, ascii_only=page.ascii_only)
        yield f"{mark} untriggered: it applies to n seeds only, fewer than {fewest}; neither for nor against"
    if any(state is Reading.LOST for state, _ in states):
        yield "~ lost: numerical failures in most seeds; neither for nor against"


def _scale(required: float) -> Text:
    """The shades from 0 to 1, with the required share in the middle."""
    steps = [number / _SCALE for number in range(_SCALE + 1)]
    shares = [required * step for step in steps[:-1]] + [required + (1.0 - required) * step for step in steps]
    line = Text("0 % ")
    for share in shares:
        line.append(" ", f"on {_named(shade(share, required))}")
    return line.append(f" 100 %, white at the required {percent(required)}")


def _shades(cell: Judgement) -> Text:
    """The legend of the shades: the share of seeds if one is required, else the outcome."""
    if cell.required is not None:
        return _scale(cell.required)
    said = [Text.assemble(("   ", f"on {_named(colour)}"), f" {outcome}") for outcome, colour in DECIDED.items()]
    return Text("  ").join(said)


def _named(colour: Colour) -> str:
    return f"rgb({colour.red},{colour.green},{colour.blue})"
