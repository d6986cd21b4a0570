"""Curves drawn in characters: braille with two by four dots a character, or plain ASCII."""

from collections.abc import Sequence
from itertools import pairwise

# Bit of each dot in a braille character, by row and column (Unicode 2800 ff.).
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_UPPER = 0x01 | 0x08 | 0x02 | 0x10


class Canvas:
    """A grid of `columns` x `rows` characters, addressed in dots from the top left: 2 x `columns` by 4 x `rows`.

    >>> canvas = Canvas(2, 1)
    >>> canvas.curve([(0, 3), (3, 0)])
    >>> canvas.lines(ascii_only=False)
    ['⡠⠊']
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._bits = [[0] * columns for _ in range(rows)]

    def dot(self, x: int, y: int) -> None:
        """Set one dot. Dots outside the canvas are ignored."""
        if 0 <= x < 2 * self.columns and 0 <= y < 4 * self.rows:
            self._bits[y // 4][x // 2] |= _DOTS[y % 4][x % 2]

    def curve(self, points: Sequence[tuple[int, int]]) -> None:
        """Join consecutive points by straight lines. A single point is drawn as a dot."""
        for x, y in points[:1]:
            self.dot(x, y)
        for (x, y), (x2, y2) in pairwise(points):
            length = max(abs(x2 - x), abs(y2 - y), 1)
            for step in range(length + 1):
                self.dot(round(x + (x2 - x) * step / length), round(y + (y2 - y) * step / length))

    def dotted(self, y: int) -> None:
        """Draw a horizontal line of every fourth dot."""
        for x in range(0, 2 * self.columns, 4):
            self.dot(x, y)

    def lines(self, *, ascii_only: bool) -> list[str]:
        """The canvas as text."""
        return ["".join(_character(bits, ascii_only=ascii_only) for bits in row) for row in self._bits]


def _character(bits: int, *, ascii_only: bool) -> str:
    if not bits:
        return " "
    if not ascii_only:
        return chr(0x2800 + bits)
    upper, lower = bits & _UPPER, bits & ~_UPPER
    return ":" if upper and lower else "'" if upper else "."
