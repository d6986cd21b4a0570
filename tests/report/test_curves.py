"""Curves in the terminal: their scale, their range, where a step lies, and numbers that are hardly any."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.report.curves import LABEL, Axis, curve, down, step_axis

NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
"""Whose three digits fit before the axis; -4.81e-124 takes ten characters."""
POINTS = st.lists(st.tuples(st.integers(0, 500), NUMBERS), min_size=1, max_size=30).map(sorted)


def axis(width: int = 60, *, ascii_only: bool = False, first: int = 0, last: int = 500) -> Axis:
    return Axis(first, last, width, ascii_only)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 200))
def test_both_ends_of_the_axis_are_its_first_and_last_place(first: int, length: int, places: int) -> None:
    there = axis(first=first, last=first + length)
    assert there.across(first, places) == 0
    assert there.across(first + length, places) == (places - 1 if length else 0)
    assert 0 <= there.across(first + length // 2, places) <= places - 1


@given(POINTS, st.integers(10, 120), st.integers(1, 9), st.booleans(), st.none() | NUMBERS)
def test_a_panel_has_its_height_its_width_and_its_range(
    points: list[tuple[int, float]], width: int, rows: int, ascii_only: bool, level: float | None
) -> None:
    lines = curve(axis(width, ascii_only=ascii_only), points, rows, lambda value: f"{value:.3g}", level)
    assert len(lines) == rows
    assert max(map(len, lines)) <= LABEL + 1 + max(20, width - LABEL - 1)
    assert not ascii_only or all(line.isascii() for line in lines)
    values = [value for _, value in points] + ([] if level is None else [level])
    assert lines[0].startswith(f"{max(values):.3g}".rjust(LABEL))
    if rows > 1:
        assert lines[-1].startswith(f"{min(values):.3g}".rjust(LABEL))


def test_a_rise_is_drawn_from_below_on_the_left_to_above_on_the_right() -> None:
    lines = curve(axis(30, ascii_only=True), [(0, 0.0), (500, 1.0)], 4, str)
    body = [line[LABEL + 1 :] for line in lines]
    marks = [(row, column) for row, line in enumerate(body) for column, sign in enumerate(line) if sign != " "]
    assert min(marks, key=lambda mark: mark[1])[0] == 3
    assert max(marks, key=lambda mark: mark[1])[0] == 0


def test_a_level_is_dotted_and_has_its_label() -> None:
    flat = curve(axis(40, ascii_only=True), [(0, 4.0), (500, 4.0)], 5, lambda value: f"{value:g}", level=1.0)
    assert flat[0].lstrip().startswith("4|") and flat[-1].lstrip().startswith("1|")
    dots = flat[-1][LABEL + 1 :]
    assert dots.count(".") == len(range(0, 2 * 30, 4))
    middle = curve(axis(40), [(0, 4.0), (500, 0.0)], 5, lambda value: f"{value:g}", level=2.0)
    assert any(line.lstrip().startswith("2│") for line in middle[1:-1])


def test_nothing_to_draw_is_drawn() -> None:
    assert len(curve(axis(), [], 3, str)) == 3


@pytest.mark.parametrize(("ascii_only", "corner", "line"), [(True, "+", "-"), (False, "└", "─")])
def test_marks_stand_at_their_steps_above_the_range(ascii_only: bool, corner: str, line: str) -> None:
    drawn, below = step_axis(axis(40, ascii_only=ascii_only), [(0, "o"), (500, "p"), (250, "r")])
    body = drawn.partition(corner)[2]
    assert len(body) == 30
    assert (body[0], body[-1], body.strip(line)) == ("o", "p", body)
    assert body.index("r") == round(29 * 0.5)
    assert below.split() == ["0", "to", "500"]


AXIS = Axis(first=0, last=10, width=40, ascii_only=True)
ANY = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(st.integers(0, 10), ANY), max_size=12), st.none() | st.floats(-1e3, 1e3))
def test_whatever_the_numbers_a_panel_has_its_rows(points: list[tuple[int, float]], level: float | None) -> None:
    """Regression: two numbers further apart than the largest float ended in an internal error, as did infinite ones."""
    assert len(curve(AXIS, points, 5, "{:.3g}".format, level)) == 5


def test_numbers_that_are_not_finite_are_left_out() -> None:
    points = [(0, 1.0), (5, 3.0), (10, 2.0)]
    strange = [*points[:1], (2, math.inf), (3, math.nan), *points[1:], (9, -math.inf)]
    assert curve(AXIS, strange, 5, "{:.3g}".format) == curve(AXIS, points, 5, "{:.3g}".format)


_NUMBERS = st.floats(-1e200, 1e200).map(lambda number: number if abs(number) > 1e-200 else 0.0)
"""Differences of these have all their digits."""


@given(_NUMBERS, _NUMBERS, st.floats(0.0, 1.0), st.integers(1, 9))
def test_a_value_is_as_far_down_as_its_share_of_the_scale(one: float, other: float, share: float, rows: int) -> None:
    low, high = min(one, other), max(one, other)
    value = low + share * (high - low)
    plain = (4 * rows - 1) * (high - min(max(value, low), high)) / ((high - low) or 1.0)
    assert down(value, low, high, rows) == pytest.approx(plain, abs=0.5 + 1e-6)


def test_the_scale_has_its_ends_and_its_level() -> None:
    lines = curve(AXIS, [(0, 0.0), (10, 4.0)], 5, "{:.3g}".format, level=2.0)
    assert [line.partition("|")[0].strip() for line in lines] == ["4", "", "2", "", "0"]


def test_the_step_axis_has_its_marks_and_its_range() -> None:
    marked, below = step_axis(AXIS, [(0, "a"), (10, "z")])
    assert marked.partition("+")[2].strip("-") == "a" + "-" * (AXIS.columns - 2) + "z"
    assert below.strip() == "0 to 10"
