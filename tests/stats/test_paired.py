"""Paired comparisons: known answers, and the error rates that the gate's promise rests on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from spikecheck.stats.holm import holm
from spikecheck.stats.paired import compare

SHARES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12)


def test_settings_weigh_the_same_however_many_seeds_they_have() -> None:
    assert compare([np.full(4, 1.0), np.full(40, 3.0)]).mean == 2.0


def test_no_difference_at_all_is_none() -> None:
    found = compare([np.zeros(5), np.zeros(7)])
    assert (found.mean, found.low, found.high, found.p_above, found.p_below) == (0.0, 0.0, 0.0, 1.0, 1.0)


def test_six_pairs_that_agree_have_the_p_value_of_six_coins() -> None:
    assert compare([np.arange(1.0, 7.0)]).p_above == pytest.approx(1 / 64)


def test_p_values_are_those_of_a_t_test_where_that_is_right() -> None:
    values = np.random.default_rng(3).normal(0.3, 1.0, 60)
    found = compare([values])
    assert found.p_above == pytest.approx(ttest_1samp(values, 0, alternative="greater").pvalue, abs=0.01)
    assert found.low == pytest.approx(values.mean() - 1.96 * values.std() / np.sqrt(60), abs=0.03)


@given(SHARES)
def test_holm_never_lowers_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(a >= min(1.0, p) - 1e-9 for a, p in zip(adjusted, p_values, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


@given(SHARES, st.floats(0.001, 0.5))
def test_holm_rejects_what_stepping_down_rejects(p_values: list[float], alpha: float) -> None:
    """A second implementation: reject the smallest p while it is at most alpha over those that are left."""
    left, rejected = sorted(p_values), 0
    while left and left[0] <= alpha / len(left):
        left.pop(0)
        rejected += 1
    close = [abs(a - alpha) < 1e-9 for a in holm(p_values)]
    if not any(close):
        assert sum(a <= alpha for a in holm(p_values)) == rejected


def test_intervals_cover_and_tests_alarm_as_often_as_they_say() -> None:
    """200 worlds without a difference, heavy tails and unequal settings: 95 % intervals, 5 % tests."""
    generator = np.random.default_rng(7)
    covered = alarms = 0
    for _ in range(200):
        blocks = [scale * generator.standard_t(3, 16) for scale in (0.1, 1.0, 1.0, 3.0)]
        found = compare(blocks)
        covered += found.low <= 0 <= found.high
        alarms += found.p_above <= 0.05
    assert covered >= 180
    assert alarms <= 20
