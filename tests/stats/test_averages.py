"""Intervals of averages: against scipy, against sums over every outcome, and how often they miss."""

import math
import statistics
from collections.abc import Callable
from dataclasses import astuple
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import skew, t, ttest_1samp

from spikecheck.stats.averages import Interval, Mean, mean_interval, median_interval
from spikecheck.stats.looks import nominal_alpha

Values = NDArray[np.float64]
ALPHAS = st.floats(0.005, 0.3)
EIGHTHS = st.integers(-80, 80).map(lambda eighths: eighths / 8)
"""Numbers whose sums and multiples are exact."""
SAMPLES = st.lists(EIGHTHS, min_size=2, max_size=40).map(np.array)
BOTH = pytest.mark.parametrize("interval", [mean_interval, median_interval])
Bounds = Callable[[Values, float], Interval]


@pytest.mark.parametrize("alpha", [Fraction(1, 20), Fraction(1, 40), Fraction(218, 10_000), Fraction(1, 4)])
def test_a_medians_bounds_are_the_ranks_that_coins_allow(alpha: Fraction) -> None:
    """The k-th smallest of S lies above the median where fewer than k of S fair coins do: in whole numbers."""
    for count in range(1, 60):
        fewer = [sum(math.comb(count, heads) for heads in range(k)) for k in range(1, count + 1)]
        rank = max((k for k in range(1, count + 1) if fewer[k - 1] <= alpha * 2**count), default=0)
        found = median_interval(np.arange(1.0, count + 1), float(alpha))
        assert found.low == (rank or -math.inf)
        assert found.high == (count + 1 - rank if rank else math.inf)


@pytest.mark.parametrize("chances", [(0.5, 0.5, 0.0), (0.2, 0.6, 0.2), (0.3, 0.3, 0.4), (0.49, 0.02, 0.49)])
def test_no_law_of_three_values_puts_its_median_outside_more_often_than_alpha(chances: tuple[float, ...]) -> None:
    """All 6,561 outcomes of eight seeds, with their ties."""
    cumulated = np.cumsum(chances)
    lowest = int(np.searchsorted(cumulated, 0.5 - 1e-12))
    highest = int(np.searchsorted(cumulated, 0.5 + 1e-12))
    above = below = 0.0
    for outcome in product(range(3), repeat=8):
        weight = math.prod(chances[value] for value in outcome)
        found = median_interval(np.array(outcome, dtype=float), 0.05)
        above += weight * (found.low > lowest)
        below += weight * (found.high < highest)
    assert above <= 0.05
    assert below <= 0.05


@given(st.lists(st.integers(0, 80), min_size=6, max_size=20), ALPHAS, EIGHTHS)
def test_a_mean_of_symmetric_effects_has_students_bounds(half: list[int], alpha: float, middle: float) -> None:
    values = np.array([middle + sign * number / 8 for number in half for sign in (1, -1)])
    if not np.ptp(values):
        return
    found = mean_interval(values, alpha)
    oracle = ttest_1samp(values, 0.0).confidence_interval(1 - 2 * alpha)
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), rel=1e-5, abs=1e-5)


@given(SAMPLES, ALPHAS)
def test_no_mean_has_closer_bounds_than_students(values: Values, alpha: float) -> None:
    found = mean_interval(values, alpha)
    low = found.estimate - t.isf(alpha, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    high = found.estimate + t.isf(alpha, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    assert found.low <= low + 1e-9
    assert found.high >= high - 1e-9


@given(st.lists(EIGHTHS, min_size=12, max_size=40).filter(lambda values: len(set(values)) > 2), ALPHAS)
def test_the_other_bounds_are_halls(values: list[float], alpha: float) -> None:
    """Where his transformation, as he wrote it (1992), reaches Student's quantile."""
    sample, count = np.array(values), len(values)
    mean, spread, third = sample.mean(), sample.std(ddof=1), 4 / 3 * float(skew(sample, bias=False))
    quantile = t.isf(alpha, count - 1)

    def transformed(mu: float) -> float:
        w = (mean - mu) / spread
        return float(math.sqrt(count) * (w + third * w**2 / 3 + third**2 * w**3 / 27 + third / (6 * count)))

    far = 1e4 * spread
    if abs(third) < 1e-3:
        return
    low = brentq(lambda mu: transformed(mu) - quantile, mean - far, mean + far)
    high = brentq(lambda mu: transformed(mu) + quantile, mean - far, mean + far)
    student = quantile * spread / math.sqrt(count)
    found = mean_interval(sample, alpha)
    assert found.low == pytest.approx(min(low, mean - student), rel=1e-6, abs=1e-6)
    assert found.high == pytest.approx(max(high, mean + student), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("value", [0.1, 0.3, 0.7, 1e-300, -1e300])
@pytest.mark.parametrize("count", [2, 3, 12, 49, 1000])
def test_effects_that_are_all_the_same_have_that_average_exactly(value: float, count: int) -> None:
    """Regression: three times 0.1, over three, is a little more than 0.1, and surely above it."""
    assert mean_interval(np.full(count, value), 0.05) == Interval(value, value, value)


@given(values=SAMPLES, alpha=ALPHAS)
def test_each_interval_is_around_its_own_average(values: Values, alpha: float) -> None:
    """The mean as the standard library has it, and the median, which are far apart where effects are skewed."""
    assert median_interval(values, alpha).estimate == statistics.median(values.tolist())
    assert mean_interval(values, alpha).estimate == pytest.approx(statistics.fmean(values), abs=1e-9)
    outlier = np.array([*([0.0] * len(values)), 1e6])
    assert median_interval(outlier, alpha).estimate == 0.0 < mean_interval(outlier, alpha).estimate


@pytest.mark.parametrize("count", [2, 3])
def test_a_mean_of_samples_that_do_not_vary_is_known(count: int) -> None:
    """Although rounding gives three values of 0.1 a standard deviation."""
    mean = Mean.of([np.full(count, 0.1)])
    assert astuple(mean) == pytest.approx((0.1, 0.0, count - 1, 0.0))
    assert mean.error == 0.0
    assert mean.low(0.05) == mean.high(0.05) == mean.estimate
    assert [mean.p_above(limit) for limit in (0.0, 0.2)] == [0.0, 1.0]
    assert [mean.p_below(limit) for limit in (0.0, 0.2)] == [1.0, 0.0]


@pytest.mark.parametrize("values", [[0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0], [*range(9), 40.0]])
def test_a_mean_has_scipys_error_and_skewness(values: list[float]) -> None:
    """Of two values, which have no skewness, as well."""
    sample, count = np.array(values), len(values)
    third = 4 / 3 * float(skew(sample, bias=False)) if count > 2 else 0.0
    error = statistics.stdev(values) / math.sqrt(count)
    expected = (statistics.fmean(values), error, count - 1, third / math.sqrt(count))
    assert astuple(Mean.of([sample])) == pytest.approx(expected)


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.01])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_p_value_of_a_bound_is_the_error_that_it_was_made_for(alpha: float, sign: float) -> None:
    """Of skewed effects, whose bounds are Hall's on one side and Student's on the other."""
    mean = Mean.of([sign * np.array([*range(9), 40.0]), sign * np.array([0.0, 0.0, 1.0, 7.0])])
    assert abs(mean.skew) > 0.2
    assert mean.p_above(mean.low(alpha)) == pytest.approx(alpha, rel=1e-9)
    assert mean.p_below(mean.high(alpha)) == pytest.approx(alpha, rel=1e-9)
    assert mean.p_above(mean.estimate) == mean.p_below(mean.estimate) == 1.0


@BOTH
def test_of_one_seed_nothing_is_known(interval: Bounds) -> None:
    assert interval(np.array([2.0]), 0.05) == Interval(2.0, -math.inf, math.inf)


@BOTH
@given(values=SAMPLES, alpha=ALPHAS, data=st.data())
def test_the_order_of_effects_is_irrelevant(
    interval: Bounds, values: Values, alpha: float, data: st.DataObject
) -> None:
    shuffled = np.array(data.draw(st.permutations(values.tolist())))
    one, other = interval(values, alpha), interval(shuffled, alpha)
    assert (one.estimate, one.low, one.high) == pytest.approx((other.estimate, other.low, other.high), abs=1e-9)


@BOTH
@given(values=SAMPLES, alpha=ALPHAS, shift=EIGHTHS, scale=st.sampled_from([2.0**power for power in (-20, -3, 1, 30)]))
def test_an_interval_moves_and_stretches_with_its_effects(
    interval: Bounds, values: Values, alpha: float, shift: float, scale: float
) -> None:
    one, other = interval(values, alpha), interval(scale * (values + shift), alpha)
    expected = [scale * (bound + shift) for bound in (one.estimate, one.low, one.high)]
    assert (other.estimate, other.low, other.high) == pytest.approx(expected, rel=1e-7, abs=1e-7 * scale)


@BOTH
@given(values=SAMPLES, alpha=ALPHAS)
def test_an_interval_of_the_opposite_effects_is_the_opposite_one(
    interval: Bounds, values: Values, alpha: float
) -> None:
    one, other = interval(values, alpha), interval(-values, alpha)
    assert (other.estimate, other.low, other.high) == pytest.approx((-one.estimate, -one.high, -one.low), abs=1e-9)


@BOTH
@given(values=SAMPLES, alphas=st.tuples(ALPHAS, ALPHAS))
def test_who_wants_to_be_surer_gets_wider_bounds(interval: Bounds, values: Values, alphas: tuple[float, float]) -> None:
    wide, close = (interval(values, alpha) for alpha in sorted(alphas))
    assert wide.low <= close.low <= close.estimate <= close.high <= wide.high


Draw = Callable[[np.random.Generator, tuple[int, int]], Values]
LAWS: dict[str, Draw] = {
    "normal": lambda generator, shape: generator.standard_normal(shape),
    "uniform": lambda generator, shape: generator.random(shape) - 0.5,
    "gamma of skewness 1": lambda generator, shape: generator.gamma(4.0, size=shape) - 4.0,
    "exponential": lambda generator, shape: generator.exponential(size=shape) - 1.0,
    "heavy tails": lambda generator, shape: generator.standard_t(3, shape),
}


@pytest.mark.parametrize("sizes", [(32, 64, 128), (64, 128, 256)])
@pytest.mark.parametrize("law", LAWS)
def test_a_mean_at_its_limit_is_mistaken_at_any_look_in_at_most_one_of_twenty(law: str, sizes: tuple[int, ...]) -> None:
    rounds, alpha = 1_500, nominal_alpha(0.05, sizes)
    effects = LAWS[law](np.random.default_rng(11), (rounds, sizes[-1]))
    found = [[mean_interval(row[:size], alpha) for size in sizes] for row in effects]
    most = 0.05 + 3 * math.sqrt(0.05 * 0.95 / rounds)
    assert sum(any(one.low > 0.0 for one in looks) for looks in found) / rounds <= most
    assert sum(any(one.high < 0.0 for one in looks) for looks in found) / rounds <= most


def test_students_bounds_alone_would_break_that_for_exponential_effects() -> None:
    """Why they are widened: he misses in more than 8 %, twice of what is meant."""
    sizes, rounds = (32, 64, 128), 4_000
    effects = LAWS["exponential"](np.random.default_rng(11), (rounds, sizes[-1]))
    alpha, missed = nominal_alpha(0.05, sizes), np.zeros(rounds, dtype=bool)
    for size in sizes:
        seen = effects[:, :size]
        missed |= seen.mean(axis=1) + t.isf(alpha, size - 1) * seen.std(axis=1, ddof=1) / math.sqrt(size) < 0.0
    assert missed.mean() > 0.08


@pytest.mark.parametrize("law", [law for law in LAWS if law != "heavy tails"])
def test_a_median_at_its_limit_is_mistaken_at_any_look_in_at_most_one_of_twenty(law: str) -> None:
    sizes, rounds = (32, 64, 128), 1_500
    alpha = nominal_alpha(0.05, sizes)
    effects = LAWS[law](np.random.default_rng(12), (rounds, sizes[-1]))
    truth = float(np.median(LAWS[law](np.random.default_rng(13), (1, 2_000_000))))
    found = [[median_interval(row[:size], alpha) for size in sizes] for row in effects]
    most = 0.05 + 3 * math.sqrt(0.05 * 0.95 / rounds)
    assert sum(any(one.low > truth for one in looks) for looks in found) / rounds <= most
    assert sum(any(one.high < truth for one in looks) for looks in found) / rounds <= most
