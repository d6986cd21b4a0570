"""The detector's thresholds: rates counted on shuffles, by quadrature and from their formulas."""

import math
from math import comb

import numpy as np
import pytest
from scipy import integrate, stats

from spikecheck.watch.thresholds import (
    HIGH_RATE,
    LASTING,
    LASTING_RATE,
    LONGEST_MEMORY,
    NORMAL,
    WINDOW,
    highest_rank,
    lasts,
    level_and_spread,
    median,
    memory,
    record_factor,
    rises,
    tail_index,
)


@pytest.mark.parametrize("length", LASTING)
def test_the_lasting_rule_is_as_rare_as_derived(length: int) -> None:
    """Counted on shuffles at a rate that can be counted: the law is the same for every k."""
    rng, window, rank = np.random.default_rng(1), 20, 8
    law = comb(rank + length, length) / comb(window + length, length)
    orders = rng.random((40_000, window + length))
    kth = np.partition(orders[:, :window], -rank - 1, axis=1)[:, -rank - 1]
    share = (orders[:, window:].min(axis=1) > kth).mean()
    assert abs(share - law) < 4.0 * math.sqrt(law / 40_000) + 1e-4


def test_ranks_are_the_largest_allowed() -> None:
    for length in LASTING:
        rank = highest_rank(length)
        assert rank is not None
        rates = [comb(k + length, length) / comb(128 + length, length) for k in (rank, rank + 1)]
        assert rates[0] <= LASTING_RATE < rates[1]
    assert highest_rank(2) is None


def lasting(length: int, above: float, window: int = WINDOW, seed: int = 0) -> bool:
    """Whether a run lasts whose lowest loss lies so far above the one of 0, 1, 2, … that it must exceed."""
    rank = highest_rank(length, window)
    assert rank is not None
    run = np.full(length, 1e6)
    run[length // 2] = window - 1 - rank + above
    return lasts(run, np.random.default_rng((length, seed)).permutation(np.arange(float(window))))


@pytest.mark.parametrize("length", LASTING)
def test_a_run_lasts_where_its_lowest_loss_ranks_above_the_largest_allowed(length: int) -> None:
    assert [lasting(length, above) for above in (0.5, 0.0, -0.5)] == [True, False, False]


@pytest.mark.parametrize("length", LASTING)
def test_a_long_window_in_any_order_has_the_same_rank(length: int) -> None:
    """So long that partitioning does not happen to sort it."""
    assert all(lasting(length, 0.5, 2_000, seed) and not lasting(length, 0.0, 2_000, seed) for seed in range(60))


def test_a_shorter_window_needs_a_higher_rank_and_32_losses_at_least() -> None:
    assert [lasting(6, above, 32) for above in (0.5, 0.0)] == [True, False]
    assert not lasting(6, 0.5, 31)
    assert highest_rank(3, 32) is None
    assert not lasts(np.full(3, 1e3), np.arange(32.0))


def test_a_run_that_ranks_high_enough_lasts_only_if_it_rises() -> None:
    """Of 128 losses around 2, all but a few as high: ranks alone would do."""
    window = np.linspace(1.0, 3.0, WINDOW)
    assert [lasts(np.full(24, loss), window) for loss in (2.01, 2.9)] == [False, True]


def test_a_mean_of_just_one_spread_above_the_level_rises() -> None:
    window = np.repeat([-1.0, 1.0], 64)  # the median is 0 and the median absolute deviation 1
    assert [rises(np.full(4, mean), window) for mean in (NORMAL, np.nextafter(NORMAL, 0.0))] == [True, False]


@pytest.mark.parametrize("level", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_four_roundings_can_do_to_a_constant_loss_is_no_rise(level: float, sign: float) -> None:
    window, epsilon = np.full(WINDOW, sign * level), float(np.finfo(np.float32).eps)
    assert [rises(window[:4] + times * epsilon * level, window) for times in (3.0, 5.0)] == [False, True]


@pytest.mark.parametrize("past", [128, 1_000, 4_096])
def test_the_high_rule_is_rare_for_the_heaviest_tail(past: int) -> None:
    """The chance that the next of a Pareto law exceeds the factor times the largest, by quadrature."""
    tail = 2.5
    factor = record_factor(past, tail)

    def density(u: float) -> float:  # u is the law's value at the largest of `past`
        return past * u ** (past - 1) * (1.0 - u) * factor**-tail

    chance, _ = integrate.quad(density, 0.0, 1.0, points=[1.0 - 1.0 / past])
    assert chance == pytest.approx(HIGH_RATE, rel=1e-6)


def test_the_rates_of_all_rules_add_up_to_what_is_promised() -> None:
    """One false alarm in 10,000 steps at most, over the four lengths and a single high loss."""
    assert len(LASTING) * LASTING_RATE + HIGH_RATE == pytest.approx(9e-5)


@pytest.mark.parametrize(("location", "scale"), [(0.0, 1.0), (5.0, 3.0), (-2.0, 0.01)])
def test_the_spread_of_normal_losses_is_their_standard_deviation(location: float, scale: float) -> None:
    quantiles = stats.norm.ppf((np.arange(4_001) + 0.5) / 4_001, location, scale)
    assert level_and_spread(quantiles) == pytest.approx((location, scale), rel=1e-3, abs=1e-9)


def test_the_tail_index_is_recovered_from_below() -> None:
    rng = np.random.default_rng(0)
    estimates = [tail_index(rng.pareto(5.0, 4_000) + 1.0) for _ in range(200)]
    assert min(estimates) >= 2.5 and np.mean(np.array(estimates) > 5.0) < 0.1
    assert tail_index(np.zeros(4_000)) == 2.5


@pytest.mark.parametrize("count", [33, 34, 100, 4_000])
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_the_tail_index_is_hills_estimate_less_two_standard_errors(count: int, scale: float) -> None:
    """A second implementation, from all heights in order."""
    heights = scale * (np.random.default_rng(count).pareto(20.0, count) + 1.0)
    highest = np.sort(heights)[::-1]
    index = 1.0 / np.log(highest[:32] / highest[32]).mean()
    assert tail_index(heights) == pytest.approx(max(2.5, index * (1.0 - 2.0 / math.sqrt(32))))


def test_the_tail_index_is_that_of_the_highest_in_any_order() -> None:
    heights = np.random.default_rng(7).pareto(20.0, 4_000) + 1.0
    estimates = {tail_index(np.random.default_rng(seed).permutation(heights)) for seed in range(200)}
    assert max(estimates) == pytest.approx(min(estimates), rel=1e-12)


def test_equal_heights_have_the_heaviest_tail() -> None:
    """No height lies above another, and nothing can be estimated."""
    assert tail_index(np.ones(4_000)) == 2.5


def test_too_few_heights_have_the_heaviest_tail_and_after_a_long_history_every_record_counts() -> None:
    assert tail_index(np.arange(1.0, 33.0)) == 2.5
    assert record_factor(1_000_000, 2.5) == 1.0


@pytest.mark.parametrize(
    ("coefficient", "strides"), [(0.0, {1}), (0.5, {2, 3, 4}), (0.8, set(range(7, 12))), (0.9, set(range(10, 33)))]
)
def test_the_memory_of_an_autoregression(coefficient: float, strides: set[int]) -> None:
    rng = np.random.default_rng(2)
    series = np.convolve(rng.standard_normal(4_100), coefficient ** np.arange(100), "valid")
    assert memory(series) in strides
    assert memory(series + 1e3) == memory(series)


def test_without_noise_or_with_too_few_losses_there_is_no_memory() -> None:
    noise = np.random.default_rng(3).standard_normal(4_000)
    slow = np.convolve(noise, 0.9 ** np.arange(100), "valid")
    assert memory(slow[: WINDOW - 1]) == 1 < memory(slow[:WINDOW])
    assert memory(np.ones(WINDOW)) == 1
    assert memory(np.arange(4_000.0)) == 1  # differences have no spread
    assert memory(np.where(noise > 1.5, noise, 0.0)) == 1  # nearly all losses are one number
    assert memory(np.tile(noise[:LONGEST_MEMORY], 16)) == 1  # every 32nd is the same: there is nothing to compare with


@pytest.mark.parametrize("scale", [1e-3, 1e3])
@pytest.mark.parametrize("coefficient", [0.0, 0.8])
def test_the_memory_has_no_unit(scale: float, coefficient: float) -> None:
    series = np.convolve(np.random.default_rng(8).standard_normal(611), coefficient ** np.arange(100), "valid")
    assert memory(scale * series) == memory(series)


def test_a_loss_that_falls_and_rises_evenly_has_no_memory() -> None:
    """Regression: without a spread of second differences it counted as one that is written down again."""
    even = np.arange(512) % 7
    assert [memory(1.0 + even * step) for step in (1.0, 0.01)] == [1, 1]  # exactly even, and but for rounding


@pytest.mark.parametrize("times", [8, 16, 32])
def test_a_loss_that_is_written_down_until_the_next_has_the_longest_memory(times: int) -> None:
    """Regression: most neighbours are equal, so that losses counted as independent."""
    assert memory(np.repeat(np.random.default_rng(9).standard_normal(512 // times), times)) == LONGEST_MEMORY


def test_neighbours_that_differ_more_than_by_chance_are_not_thinned() -> None:
    noise = np.random.default_rng(4).standard_normal(4_000)
    assert memory(noise[1:] - 0.5 * noise[:-1]) == 1


@pytest.mark.parametrize("count", [1, 2, 7, 128])
def test_the_median_is_numpys(count: int) -> None:
    numbers = np.random.default_rng(count).normal(size=count)
    assert median(numbers) == np.median(numbers)


@pytest.mark.parametrize("slope", [0.0, -0.01, 0.05])
def test_a_slope_is_no_memory(slope: float) -> None:
    """Regression: losses of independent noise on a slope counted as correlated."""
    rng = np.random.default_rng(5)
    assert memory(rng.normal(0.0, 0.1, 512) + slope * np.arange(512)) == 1
