"""A map in the terminal: one cell a setting, readable without colour and in ASCII."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from shlex import quote

from rich.console import Console
from rich.text import Text

from spikecheck.core.scope import Axis, Reading, ScopeMap, reading
from spikecheck.core.verdict import Judgement, Outcome
from spikecheck.report.axes import labels, title
from spikecheck.report.cells import Colour, face, fill, ink, shade
from spikecheck.report.evidence import percent
from spikecheck.report.inert import inert
from spikecheck.report.outcomes import LOOKS
from spikecheck.report.page import Page
from spikecheck.report.words import conditions, differs, lost

_INDENT = 2
_LONGEST = 24
"""Most characters of a row's label; longer ones are keyed."""
_SCALE = 41
"""Characters of the scale of shades."""


@dataclass(frozen=True)
class Layout:
    """Which axis runs which way, and what stands at the rows and columns."""

    across: Axis
    up: Axis
    turned: bool
    keyed: bool
    cell: int
    """Characters of the widest cell's content."""

    @property
    def heads(self) -> list[str]:
        """At the columns, from left to right."""
        return self._names(self.across, "")

    @property
    def sides(self) -> list[str]:
        """At the rows, from the bottom up."""
        return self._names(self.up, "#")

    @property
    def column(self) -> int:
        """Characters of a column: the widest cell between its two marks, or the widest heading between blanks."""
        return max([self.cell, *map(len, self.heads)]) + 2

    @property
    def side(self) -> int:
        """Characters left of the cells."""
        return _INDENT + max(map(len, self.sides)) + 1

    @property
    def width(self) -> int:
        """Characters of a whole line."""
        return self.side + self.column * len(self.heads)

    def _names(self, axis: Axis, mark: str) -> list[str]:
        """The values, or in their place numbers that a key explains."""
        return labels(axis.values) if not self.keyed else _keys(axis, "row " if mark else "")


def _keys(axis: Axis, word: str) -> list[str]:
    return [f"{word}{number}" for number in range(1, len(axis.values) + 1)]
