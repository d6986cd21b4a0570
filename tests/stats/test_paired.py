"""Paired comparisons: known answers, and the error rates that the gate's promise rests on."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import nct, norm, skew, t, ttest_1samp, ttest_ind

from spikecheck.stats.paired import Difference, detectable_in_spreads

Block = NDArray[np.float64]
EIGHTHS = st.integers(-80, 80).map(lambda eighths: eighths / 8)
BLOCKS = st.lists(st.lists(EIGHTHS, min_size=3, max_size=12).map(np.array), min_size=1, max_size=4).filter(
    lambda blocks: any(np.ptp(block) for block in blocks)
)
ALPHAS = st.floats(0.0005, 0.3)


def test_settings_weigh_the_same_however_many_seeds_they_have() -> None:
    assert Difference.of([np.full(4, 1.0), np.full(40, 3.0)]).mean == 2.0


@pytest.mark.parametrize("pairs", [2, 8, 16])
def test_differences_that_are_all_one_number_are_worth_as_many_coins(pairs: int) -> None:
    found = Difference.of([np.full(pairs, 0.3)])  # the mean of equal numbers is not always their number
    assert found.p_above(0.1) == 0.5**pairs
    assert found.p_below(0.1) == 1.0
    assert found.low(0.6 * 0.5**pairs) == -math.inf
    assert found.low(0.5**pairs) == pytest.approx(0.3)
    assert found.high(0.5**pairs) == pytest.approx(0.3)
    assert math.isinf(found.detectable(0.1, 0.6 * 0.5**pairs))
    assert found.detectable(0.1, 0.5**pairs) == 0.1
    assert found.high(0.6 * 0.5**pairs) == math.inf
    assert (found.p_above(0.5), found.p_below(0.5)) == (1.0, 0.5**pairs)
    assert found.p_above(found.mean) == found.p_below(found.mean) == 1.0
    assert (found.pairs, found.coins) == (pairs, pairs)


def test_differences_too_small_to_have_a_spread_are_worth_as_many_coins() -> None:
    """Regression: what is detectable was 0 divided by 0, since squares of such numbers are 0."""
    found = Difference.of([np.array([1e-300, 2e-300, 1.5e-300, 0.0, 3e-300, 1e-300])])
    assert found.p_above(0.0) == 0.5**6
    assert found.detectable(0.1, 0.05) == 0.1


def test_settings_that_each_have_their_own_number_are_as_sure_as_the_smallest() -> None:
    found = Difference.of([np.full(4, 12.0), np.zeros(40)])
    assert found.p_above(1.0) == 0.5**4
    assert Difference.of([np.full(4, 12.0), np.full(40, 12.0)]).p_above(1.0) == 0.5**44


@pytest.mark.parametrize("spread", [0.25, 40.0])
def test_what_is_detectable_is_found_with_a_power_of_eighty_per_cent_by_the_noncentral_t(spread: float) -> None:
    """Of differences without skewness, by scipy's distribution."""
    block = 1.5 + spread * np.array([-2.0, -1.0, 1.0, 2.0] * 3)
    found, alpha, margin = Difference.of([block]), 0.01, 0.5
    assert (found.pairs, found.coins) == (12, None)
    error = block.std(ddof=1) / math.sqrt(12)
    beyond = (found.detectable(margin, alpha) - margin) / error
    assert nct.sf(t.isf(alpha, 11), 11, beyond) == pytest.approx(0.8, abs=1e-6)


def test_a_single_pair_proves_nothing() -> None:
    for blocks in ([np.array([5.0])], [np.arange(1.0, 9.0), np.array([5.0])]):
        found = Difference.of(blocks)
        assert (found.low(0.2), found.high(0.2)) == (-math.inf, math.inf)
        assert (found.p_above(0.0), found.p_below(9.0)) == (1.0, 1.0)
        assert math.isinf(found.detectable(0.1, 0.05))


@given(st.lists(st.integers(1, 80), min_size=6, max_size=20), EIGHTHS, EIGHTHS)
def test_symmetric_differences_have_students_p_value(half: list[int], middle: float, margin: float) -> None:
    values = np.array([middle + sign * number / 8 for number in half for sign in (1, -1)])
    found = Difference.of([values])
    oracle = ttest_1samp(values, margin, alternative="greater").pvalue
    if middle > margin:
        assert found.p_above(margin) == pytest.approx(oracle, rel=1e-6, abs=1e-12)


@given(
    st.lists(st.integers(1, 80), min_size=4, max_size=12),
    st.lists(st.integers(1, 800), min_size=4, max_size=12),
    ALPHAS,
)
def test_two_symmetric_settings_have_welchs_bounds(one: list[int], two: list[int], alpha: float) -> None:
    """A mean of two settings is half of a difference between one and the other with its sign turned."""
    first, second = (np.array([s * n / 8 for n in half for s in (1, -1)]) for half in (one, two))
    found = Difference.of([first, second])
    oracle = ttest_ind(first, -second, equal_var=False).confidence_interval(1 - 2 * alpha)
    assert (found.low(alpha), found.high(alpha)) == pytest.approx((oracle.low / 2, oracle.high / 2), rel=1e-5, abs=1e-6)


@given(BLOCKS, EIGHTHS, ALPHAS)
def test_a_p_value_is_the_error_at_which_the_bound_leaves_the_margin(
    blocks: list[Block], margin: float, alpha: float
) -> None:
    found = Difference.of(blocks)
    if found.coins is None and abs(found.p_above(margin) - alpha) > 1e-6 and abs(found.low(alpha) - margin) > 1e-6:
        assert (found.p_above(margin) <= alpha) == (found.low(alpha) > margin)
    if found.coins is None and abs(found.p_below(margin) - alpha) > 1e-6 and abs(found.high(alpha) - margin) > 1e-6:
        assert (found.p_below(margin) <= alpha) == (found.high(alpha) < margin)


@given(BLOCKS, EIGHTHS, ALPHAS)
def test_turning_all_signs_turns_the_bounds(blocks: list[Block], margin: float, alpha: float) -> None:
    found, turned = Difference.of(blocks), Difference.of([-block for block in blocks])
    assert turned.low(alpha) == pytest.approx(-found.high(alpha))
    assert turned.p_below(-margin) == pytest.approx(found.p_above(margin))


def test_the_skewness_of_a_mean_of_settings_is_of_its_own_third_moment() -> None:
    """By hand, of two settings: K3 = sum of g s^3 / n^2 over K^3."""
    generator = np.random.default_rng(2)
    blocks = [generator.exponential(1.0, 9), 5 * generator.exponential(1.0, 14)]
    error = math.sqrt(sum(b.var(ddof=1) / len(b) for b in blocks)) / 2
    third = sum(float(skew(b, bias=False)) * b.std(ddof=1) ** 3 / len(b) ** 2 for b in blocks) / 8
    assert Difference.of(blocks).average.skew == pytest.approx(4 / 3 * third / error**3)


def _normal(generator: np.random.Generator, size: int) -> Block:
    return generator.normal(0.0, 1.0, size)


def _heavy(generator: np.random.Generator, size: int) -> Block:
    return generator.standard_t(3, size)


def _skewed(generator: np.random.Generator, size: int) -> Block:
    return generator.exponential(1.0, size) - 1.0


@pytest.mark.parametrize("draw", [_normal, _heavy, _skewed])
@pytest.mark.parametrize("seeds", [4, 16])
def test_bounds_are_missed_as_seldom_as_they_say(draw: Callable[[np.random.Generator, int], Block], seeds: int) -> None:
    """400 worlds of four unequal settings: each bound is missed in 5 %, give or take; in 8 % at most."""
    generator = np.random.default_rng(7)
    above = below = 0
    for _ in range(400):
        found = Difference.of([scale * draw(generator, seeds) for scale in (0.1, 1.0, 1.0, 3.0)])
        above += found.low(0.05) > 0
        below += found.high(0.05) < 0
    assert above <= 32
    assert below <= 32


@pytest.mark.parametrize(("seeds", "settings"), [(4, 1), (16, 1), (8, 4)])
def test_a_detectable_difference_is_found_in_eighty_of_a_hundred(seeds: int, settings: int) -> None:
    """600 worlds in which it is the truth, found at 0.01; what a single sample says of it is about that."""
    generator = np.random.default_rng(11)
    beyond = detectable_in_spreads(seeds, settings, 0.01)
    worlds = [[generator.normal(0.5 + beyond, 1.0, seeds) for _ in range(settings)] for _ in range(600)]
    found = [Difference.of(world) for world in worlds]
    assert 0.75 <= np.mean([one.p_above(0.5) <= 0.01 for one in found]) <= 0.85
    said = np.median([one.detectable(0.5, 0.01) for one in found])
    assert said == pytest.approx(0.5 + beyond, rel=0.25)


@pytest.mark.parametrize("seeds", [2_000, 100_000])
def test_with_many_seeds_a_detectable_difference_is_the_normal_one(seeds: int) -> None:
    expected = (norm.isf(0.01) + norm.ppf(0.8)) / np.sqrt(4 * seeds)
    assert detectable_in_spreads(seeds, 4, 0.01) == pytest.approx(expected, rel=0.05)
