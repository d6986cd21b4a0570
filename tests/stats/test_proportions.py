"""Counts against counts: the exact test by sums over every outcome, and what its bounds miss."""

import math
import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, boschloo_exact, fisher_exact, hypergeom, norm

from spikecheck.stats.proportions import Counts

SIZES = st.integers(2, 24)


@st.composite
def counts(draw: st.DrawFn) -> Counts:
    of = draw(SIZES)
    return Counts(draw(st.integers(0, of)), draw(st.integers(0, of)), of)


@pytest.mark.parametrize("of", [3, 4, 5, 8, 16])
def test_all_against_none_is_as_likely_as_twice_as_many_coins(of: int) -> None:
    """At a share of one half it is most likely, and has probability 2^-2n."""
    assert Counts(of, 0, of).p_above() == pytest.approx(0.5 ** (2 * of))


@pytest.mark.parametrize("of", [4, 7])
def test_no_share_makes_a_p_value_small_more_often_than_it_says(of: int) -> None:
    """Every outcome of two binomials: P(p <= p0) <= p0 at every share that both have."""
    outcomes = list(product(range(of + 1), repeat=2))
    values = {(own, other): Counts(own, other, of).p_above() for own, other in outcomes}
    for share in np.linspace(0.02, 0.98, 25):
        weights = np.asarray(binom.pmf(np.arange(of + 1), of, share))
        for level in sorted(set(values.values())):
            reached = sum(weights[a] * weights[b] for (a, b), p in values.items() if p <= level * (1 + 1e-9))
            assert reached <= level * 1.01


@given(counts())
def test_the_exact_test_is_no_weaker_than_fishers(found: Counts) -> None:
    table = np.array([[found.own, found.other], [found.of - found.own, found.of - found.other]])
    if found.own > found.other:
        assert found.p_above() <= fisher_exact(table, alternative="greater").pvalue + 1e-9
    else:
        assert found.p_above() == 1.0


@given(counts())
def test_the_two_sides_mirror_each_other(found: Counts) -> None:
    turned = Counts(found.other, found.own, found.of)
    assert turned.p_below() == found.p_above()
    assert turned.low(0.02) == pytest.approx(-found.high(0.02))


@given(counts(), st.floats(0.001, 0.2))
def test_bounds_are_newcombes(found: Counts, alpha: float) -> None:
    """From Wilson's formula as it is written in a textbook."""

    def wilson(times: int) -> tuple[float, float]:
        z, n, p = float(norm.isf(alpha)), found.of, times / found.of
        middle, reach = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        return (middle - reach) / (1 + z**2 / n), (middle + reach) / (1 + z**2 / n)

    (low, high), (other_low, other_high) = wilson(found.own), wilson(found.other)
    p, q = found.own / found.of, found.other / found.of
    lower, upper = p - q - math.hypot(p - low, other_high - q), p - q + math.hypot(high - p, q - other_low)
    assert found.low(alpha) == pytest.approx((max if found.p_above() <= alpha else min)(lower, 0.0), abs=1e-9)
    assert found.high(alpha) == pytest.approx((min if found.p_below() <= alpha else max)(upper, 0.0), abs=1e-9)


def test_what_lies_within_the_margin_is_not_tested() -> None:
    assert Counts(10, 9, 100).p_above(0.02) == 1.0
    assert Counts(30, 5, 100).p_above(0.02) < 0.001


@pytest.mark.parametrize(("other", "of", "alpha"), [(0, 16, 0.002), (2, 16, 0.01), (1, 64, 0.002)])
def test_a_detectable_difference_is_found_in_eighty_of_a_hundred(other: int, of: int, alpha: float) -> None:
    share = other / of + Counts(other, other, of).detectable(0.02, alpha)
    named = [own for own in range(of + 1) if Counts(own, other, of).p_above() <= alpha]
    assert binom.sf(min(named) - 1, of, share) >= 0.8 - 1e-9
    assert binom.sf(min(named) - 1, of, share - 0.02) < 0.8


@pytest.mark.parametrize(
    ("other", "of", "alpha", "named"),
    [(0, 4, 0.05, 3), (0, 4, 0.004, 4), (0, 4, 0.5, 1), (1, 6, 0.05, 5), (4, 6, 0.3, 6)],
)
def test_it_is_the_difference_at_which_the_fewest_that_are_named_come_in_eighty_of_a_hundred(
    other: int, of: int, alpha: float, named: int
) -> None:
    assert [Counts(own, other, of).p_above() <= alpha for own in (named - 1, named)] == [False, True]
    share = other / of + Counts(0, other, of).detectable(0.0, alpha)
    assert binom.sf(named - 1, of, share) == pytest.approx(0.8)
    assert Counts(0, other, of).detectable(0.99, alpha) == 0.99


def test_so_few_trainings_name_nothing() -> None:
    assert math.isinf(Counts(0, 0, 3).detectable(0.02, 0.01))
    assert Counts(4, 0, 4).p_above() <= 0.01


@pytest.mark.parametrize(("own", "other"), [(8, 0), (12, 2), (20, 8), (40, 20), (100, 80)])
def test_with_many_trainings_the_p_value_is_conservative_and_close(own: int, other: int) -> None:
    """Just beyond the number from which it is Fisher's; Boschloo's is never larger."""
    table = [[own, other], [201 - own, 201 - other]]
    exact, ours = boschloo_exact(table, alternative="greater").pvalue, Counts(own, other, 201).p_above()
    assert exact < ours <= 1.3 * exact


def test_many_trainings_are_judged_at_once() -> None:
    """A gate of 256 seeds has 1,024 trainings a side; of 100,000 seeds, its plan is printed."""
    began = time.process_time()
    assert Counts(12, 0, 1_024).p_above() == pytest.approx(hypergeom.sf(11, 2_048, 12, 1_024))
    assert 0.0 < Counts(1_000, 900, 100_000).detectable(0.0, 0.01) < 0.01
    assert time.process_time() - began < 2.0
