"""Looks at growing data: against known constants, and the exact error of all looks together at counts of seeds."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from scipy.special import ndtri
from scipy.stats import binom, multivariate_normal

from spikecheck.core.judgement import Outcome
from spikecheck.stats.bounds import judge
from spikecheck.stats.looks import nominal_alpha
from spikecheck.stats.prediction import Prediction

Chances = NDArray[np.float64]
PROFILES = pytest.mark.parametrize("sizes", [(32, 64, 128), (64, 128, 256)])
SIZES = st.lists(st.integers(1, 100), min_size=1, max_size=4).map(lambda steps: tuple(np.cumsum(steps).tolist()))


@pytest.mark.parametrize(("looks", "constant"), [(2, 2.178), (3, 2.289), (4, 2.361), (5, 2.413)])
def test_equal_steps_have_pococks_constants(looks: int, constant: float) -> None:
    """His table (1977) for a two-sided 5 %, of which one side has half."""
    alpha = nominal_alpha(0.025, [10 * look for look in range(1, looks + 1)])
    assert -ndtri(alpha) == pytest.approx(constant, abs=2e-3)


@pytest.mark.parametrize("sizes", [(64, 128), (64, 128, 256), (32, 64, 128, 256), (10, 11, 50)])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_all_looks_together_cross_with_probability_alpha(sizes: tuple[int, ...], alpha: float) -> None:
    """By scipy's integral of the looks' common normal density."""
    limit = -ndtri(nominal_alpha(alpha, sizes))
    shared = np.sqrt([[min(one, other) / max(one, other) for other in sizes] for one in sizes])
    never = multivariate_normal.cdf(np.full(len(sizes), limit), cov=shared, abseps=1e-6, rng=np.random.default_rng(0))
    assert 1.0 - never == pytest.approx(alpha, rel=2e-3)


@settings(max_examples=10)
@given(SIZES, st.floats(0.001, 0.2))
def test_a_look_has_less_than_all_and_more_than_its_equal_part(sizes: tuple[int, ...], alpha: float) -> None:
    found = nominal_alpha(alpha, sizes)
    assert alpha / len(sizes) <= found <= alpha
    assert (found == alpha) == (len(sizes) == 1)


@settings(max_examples=10)
@given(SIZES, st.integers(2, 50))
def test_only_the_looks_proportions_matter(sizes: tuple[int, ...], times: int) -> None:
    assert nominal_alpha(0.05, [times * size for size in sizes]) == pytest.approx(nominal_alpha(0.05, sizes), rel=1e-3)


def test_doubling_once_more_costs_little() -> None:
    costs = [nominal_alpha(0.05, [32 * 2**look for look in range(looks)]) for looks in range(1, 6)]
    assert [round(cost, 4) for cost in costs] == [0.05, 0.0304, 0.0218, 0.0169, 0.0138]
    assert all(more < less for less, more in pairwise(costs))


def ever(outcome: Outcome, sizes: Sequence[int], share: float, alpha: float, required: float) -> float:
    """The probability that any look has this outcome, all seeds applicable: by carrying the count's law from look to look."""
    rule = Prediction(above=0.0, of_seeds=required)
    chances: Chances = np.ones(1)
    crossed, before = 0.0, 0
    for size in sizes:
        chances = np.convolve(chances, binom.pmf(np.arange(size - before + 1), size - before, share))
        made = [
            judge(held, [1.0] * held + [-1.0] * (size - held), rule, alpha).outcome is outcome
            for held in range(size + 1)
        ]
        crossed += float(chances[made].sum())
        chances[made] = 0.0
        before = size
    return crossed


@PROFILES
@pytest.mark.parametrize("required", [0.5, 0.8])
def test_at_the_required_share_all_looks_together_err_in_at_most_one_of_twenty(
    sizes: tuple[int, ...], required: float
) -> None:
    """Exactly, whatever is decided on the other side: a look goes on while controls are not clear."""
    alpha = nominal_alpha(0.05, sizes)
    for outcome in (Outcome.HOLDS, Outcome.FAILS):
        assert 0.025 < ever(outcome, sizes, required, alpha, required) <= 0.05
        assert ever(outcome, sizes, required, 0.05, required) > 0.07  # what is not paid for


@PROFILES
@pytest.mark.parametrize("required", [0.5, 0.8])
def test_no_other_share_makes_them_err_more_often(sizes: tuple[int, ...], required: float) -> None:
    alpha = nominal_alpha(0.05, sizes)
    at_the_limit = {side: ever(side, sizes, required, alpha, required) for side in (Outcome.HOLDS, Outcome.FAILS)}
    for away in (0.01, 0.05, 0.1):
        assert ever(Outcome.HOLDS, sizes, required - away, alpha, required) < at_the_limit[Outcome.HOLDS]
        assert ever(Outcome.FAILS, sizes, required + away, alpha, required) < at_the_limit[Outcome.FAILS]


Counts = NDArray[np.int64]
Tail = Callable[[Counts, Counts], Chances]


def ever_where_some_apply(
    sizes: Sequence[int], applies: float, tail: Tail, fewest: int, share: float, alpha: float
) -> float:
    """The same where each seed applies with a probability: the law of applicable seeds and of those that held."""
    chances: Chances = np.ones((1, 1))
    crossed, before = 0.0, 0
    for size in sizes:
        applicable, held = np.meshgrid(np.arange(size + 1), np.arange(size + 1), indexing="ij")
        new = size - before
        few, some = np.meshgrid(np.arange(new + 1), np.arange(new + 1), indexing="ij")
        chances = fftconvolve(chances, binom.pmf(few, new, applies) * binom.pmf(some, few, share))
        made = (applicable >= fewest) & (held <= applicable) & (tail(held, applicable) <= alpha)
        crossed += float(chances[made].sum())
        chances[made] = 0.0
        before = size
    return crossed


@PROFILES
@pytest.mark.parametrize("applies", [0.9, 0.5, 0.25])
def test_that_holds_where_the_precondition_leaves_out_some_seeds_at_random(
    sizes: tuple[int, ...], applies: float
) -> None:
    """Of these the decision is by the binomial tails themselves, which `test_bounds` has shown to be the judge's."""
    required, alpha, fewest = 0.8, nominal_alpha(0.05, sizes), Prediction(above=0.0).fewest()

    def holds(held: Counts, applicable: Counts) -> Chances:
        return np.asarray(binom.sf(held - 1, applicable, required))

    def fails(held: Counts, applicable: Counts) -> Chances:
        return np.asarray(binom.cdf(held, applicable, required))

    for tail in (holds, fails):
        assert ever_where_some_apply(sizes, applies, tail, fewest, required, alpha) <= 0.05
