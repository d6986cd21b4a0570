"""A watched log as a web page: one file, escaped, and curves that lose no extreme."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.report.watch_html import _POINTS, _thinned, watch_html
from tests.report.planted_log import log_of

FLAT: dict[int, float | None] = {step: 1.0 + step % 3 for step in range(100)}


def test_the_page_is_the_same_again_and_fetches_nothing() -> None:
    page = watch_html(log_of(FLAT, {10: 0.5}, (40,)), "log.jsonl")
    assert page == watch_html(log_of(FLAT, {10: 0.5}, (40,)), "log.jsonl")
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "The loss spiked once" in page and "Net&lt;b&gt;" in page


def test_a_name_is_text_and_no_markup() -> None:
    page = watch_html(log_of(FLAT), "<script>alert(1)</script>")
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


@pytest.mark.parametrize(
    ("log", "figures"),
    [
        (log_of({}), 0),
        (log_of({3: None}), 0),
        (log_of({3: 1.0}), 1),
        (log_of(FLAT), 1),
        (log_of(FLAT, {0: 0.5}), 2),
    ],
)
def test_there_is_a_figure_for_losses_and_one_for_overshoots(log: object, figures: int) -> None:
    page = watch_html(log, "log")  # type: ignore[arg-type]
    assert page.count("<svg") == figures
    assert "nan" not in "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL)).lower()


def test_every_spike_is_marked_at_its_step() -> None:
    page = watch_html(log_of(FLAT, None, (0, 99)), "log")
    marks = re.findall(r'<line x1="([\d.]+)"[^>]* stroke="var\(--control\)"', page)
    assert [float(mark) for mark in marks] == [70.0, 850.0]  # the panel's left and right end


def test_a_level_of_1_is_drawn_where_it_lies() -> None:
    """Overshoots of 0 and 2: the dotted 1 lies half-way between the lowest and the highest point of the curve."""
    page = watch_html(log_of(FLAT, {0: 0.0, 99: 2.0}), "log")
    svg = re.findall(r"<svg.*?</svg>", page, re.DOTALL)[1]
    points = re.search(r'points="([^"]+)"', svg)
    level = re.search(r'<line x1="70.0" y1="([\d.]+)"', svg)
    assert points is not None and level is not None
    heights = [float(pair.split(",")[1]) for pair in points[1].split()]
    assert float(level[1]) == pytest.approx((min(heights) + max(heights)) / 2, abs=0.1)


@given(st.integers(0, 5 * _POINTS), st.integers(0, 1_000))
def test_thinning_keeps_extremes_and_order_and_bounds_the_size(count: int, seed: int) -> None:
    points = [(step, float((step * 7919 + seed) % 1009)) for step in range(count)]
    kept = _thinned(points)
    assert kept == sorted(kept) and set(kept) <= set(points) and len(kept) <= 2 * _POINTS + 2
    if points:
        for extreme in (min, max):
            assert extreme(value for _, value in kept) == extreme(value for _, value in points)


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("height", [-1.0, 1.0])
def test_a_single_extreme_is_kept_wherever_it_lies_among_the_points_of_one_position(at: int, height: float) -> None:
    """6,000 points at 1,000 positions: six points each."""
    points = [(step, height if step == 600 + at else 0.0) for step in range(6 * _POINTS)]
    assert (600 + at, height) in _thinned(points)
