"""Curves drawn in a terminal: two by four dots a character, or plain ASCII."""

from collections.abc import Sequence
from itertools import pairwise

# Bit of each dot in a braille character, by row and column (Unicode 2800 ff.).
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Canvas:
    """Characters `columns` x `rows`, addressed in dots from the top left."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._bits = [[0] * columns for _ in range(rows)]

    def dot(self, x: int, y: int) -> None:
        """Set one dot; outside the canvas nothing happens."""
        if 0 <= x < 2 * self.columns and 0 <= y < 4 * self.rows:
            self._bits[y // 4][x // 2] |= _DOTS[y % 4][x % 2]

    def curve(self, points: Sequence[tuple[int, int]]) -> None:
        """Join points in turn; vertical gaps are filled so that a steep rise stays a line."""
        for (x, y), (x2, y2) in pairwise(points):
            length = max(abs(x2 - x), abs(y2 - y), 1)
            for step in range(length + 1):
                self.dot(round(x + (x2 - x) * step / length), round(y + (y2 - y) * step / length))

    def dotted(self, y: int) -> None:
        """A horizontal line, every fourth dot."""
        for x in range(0, 2 * self.columns, 4):
            self.dot(x, y)

    def lines(self, ascii_only: bool) -> list[str]:
        """The canvas as text."""
        return ["".join(_character(bits, ascii_only) for bits in row) for row in self._bits]


def _character(bits: int, ascii_only: bool) -> str:
    if not ascii_only:
        return chr(0x2800 + bits) if bits else " "
    if not bits:
        return " "
    upper = bits & (0x01 | 0x08 | 0x02 | 0x10)
    lower = bits & ~(0x01 | 0x08 | 0x02 | 0x10)
    return ":" if upper and lower else "'" if upper else "."
