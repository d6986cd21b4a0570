"""Panels of curves: their scale, and numbers that are hardly any."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.report.curves import Axis, curve, down, step_axis

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


@given(st.floats(-1e200, 1e200), st.floats(-1e200, 1e200), st.floats(0.0, 1.0), st.integers(1, 9))
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
