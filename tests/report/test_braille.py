"""Curves in braille, against a grid of dots."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from spikecheck.report.braille import Canvas

# Unicode names braille patterns by dots 1 to 8; this is the standard's numbering of a cell of four rows and two columns.
NUMBERS = ((1, 4), (2, 5), (3, 6), (7, 8))
POINTS = st.lists(st.tuples(st.integers(-3, 12), st.integers(-3, 15)), max_size=6)


def dots(lines: list[str]) -> set[tuple[int, int]]:
    """The dots that are set, as columns and rows from the top left."""
    found = set()
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            bits = 0 if character == " " else ord(character) - 0x2800
            for y, numbers in enumerate(NUMBERS):
                found |= {(2 * column + x, 4 * row + y) for x, n in enumerate(numbers) if bits >> (n - 1) & 1}
    return found


@given(POINTS)
def test_dots_are_set_where_they_lie_and_ignored_outside(points: list[tuple[int, int]]) -> None:
    canvas = Canvas(5, 3)
    for x, y in points:
        canvas.dot(x, y)
    assert dots(canvas.lines(ascii_only=False)) == {(x, y) for x, y in points if 0 <= x < 10 and 0 <= y < 12}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 11)), min_size=1, max_size=5))
def test_a_curve_has_its_points_and_no_gap(points: list[tuple[int, int]]) -> None:
    canvas = Canvas(5, 3)
    canvas.curve(points)
    drawn = dots(canvas.lines(ascii_only=False))
    assert drawn >= set(points)
    for (x, y), (x2, y2) in pairwise(points):
        assert all(any(x_ == column for x_, _ in drawn) for column in range(min(x, x2), max(x, x2) + 1))
        assert all(any(y_ == row for _, y_ in drawn) for row in range(min(y, y2), max(y, y2) + 1))


def test_without_unicode_upper_and_lower_dots_differ() -> None:
    canvas = Canvas(4, 1)
    for x, y in ((0, 0), (2, 3), (4, 0), (4, 3)):
        canvas.dot(x, y)
    assert canvas.lines(ascii_only=True) == ["'.: "]
