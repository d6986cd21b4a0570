"""The interval of a median: what it covers, and what has nothing to resample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spikecheck.stats.bootstrap import median_interval

SCORES = arrays(np.float64, st.integers(1, 12), elements=st.floats(-1e6, 1e6))


@pytest.mark.parametrize(("level", "least", "most"), [(0.95, 0.90, 0.99), (0.5, 0.40, 0.62)])
def test_it_covers_the_median_about_as_often_as_it_says(level: float, least: float, most: float) -> None:
    rng = np.random.default_rng(0)
    intervals = [median_interval(rng.exponential(size=40), level) for _ in range(300)]
    assert least <= np.mean([low <= np.log(2) <= high for _, low, high in intervals]) <= most


@settings(max_examples=20)
@given(SCORES, st.floats(0.5, 0.99))
def test_it_lies_within_the_data_and_is_the_same_on_every_call(values: np.ndarray, level: float) -> None:
    median, low, high = median_interval(values, level)
    assert median == np.median(values)
    assert values.min() <= low <= median <= high <= values.max()
    assert median_interval(values, level) == (median, low, high)


def test_it_narrows_with_seeds() -> None:
    rng = np.random.default_rng(1)
    widths = [high - low for _, low, high in (median_interval(rng.normal(size=n), 0.95) for n in (20, 80, 320))]
    assert widths[0] > widths[1] > widths[2]


@pytest.mark.parametrize(
    ("values", "interval"),
    [
        ([0.5], (0.5, 0.5, 0.5)),
        ([1.0, 3.0], (2.0, 1.0, 3.0)),
        ([2.0, 2.0, 2.0], (2.0, 2.0, 2.0)),
        ([0.0] * 9 + [7.0], (0.0, 0.0, 0.0)),
    ],
)
def test_data_without_spread_need_no_warning(values: list[float], interval: tuple[float, float, float]) -> None:
    assert median_interval(np.array(values), 0.95) == interval


def test_two_seeds_say_no_more_than_their_range_at_any_level() -> None:
    assert median_interval(np.array([1.0, 3.0]), 0.3) == (2.0, 1.0, 3.0)
