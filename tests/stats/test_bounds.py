"""Exact bounds against scipy, and the error rates of the rule that every verdict follows."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom, binomtest

from spikecheck.core.judgement import Outcome
from spikecheck.stats.bounds import clopper_pearson, judge, spending
from spikecheck.stats.prediction import Prediction

Counts = NDArray[np.int64]

RULE = Prediction(above=0.0, of_seeds=0.8, level=0.95)
ALPHAS = st.floats(0.001, 0.3)
COUNTS = st.integers(1, 300).flatmap(lambda drawn: st.tuples(st.integers(0, drawn), st.just(drawn)))
LOOKS = (64, 128, 256)


@given(COUNTS, ALPHAS)
def test_bounds_are_scipys(counts: tuple[int, int], alpha: float) -> None:
    oracle = binomtest(*counts).proportion_ci(1 - 2 * alpha, "exact")
    assert clopper_pearson(*counts, alpha) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


@given(COUNTS, ALPHAS)
def test_bounds_are_where_the_tails_fall_to_alpha(counts: tuple[int, int], alpha: float) -> None:
    """The definition, by summing probabilities: at the bound, as extreme a count has probability alpha."""
    held, drawn = counts
    low, high = clopper_pearson(held, drawn, alpha)
    shares = np.arange(drawn + 1)
    assert held == 0 or binom.pmf(shares[held:], drawn, low).sum() == pytest.approx(alpha, rel=1e-6)
    assert held == drawn or binom.pmf(shares[: held + 1], drawn, high).sum() == pytest.approx(alpha, rel=1e-6)
    assert 0.0 <= low <= held / drawn <= high <= 1.0
    assert (low == 0.0) == (held == 0)
    assert (high == 1.0) == (held == drawn)


def test_without_a_seed_nothing_is_known() -> None:
    assert clopper_pearson(0, 0, 0.05) == (0.0, 1.0)
    assert judge(0, 0, RULE, 0.05).outcome is Outcome.UNTRIGGERED


@given(st.integers(1, 200), st.floats(0.5, 0.95), ALPHAS)
def test_one_look_decides_where_a_tail_falls_below_alpha(seeds: int, required: float, alpha: float) -> None:
    rule = Prediction(above=0.0, of_seeds=required, level=1.0 - alpha)
    for held in range(seeds + 1):
        tails = binom.sf(held - 1, seeds, required), binom.cdf(held, seeds, required)
        assume(min(abs(tail - alpha) for tail in tails) > 1e-9)
        expected = Outcome.HOLDS if tails[0] < alpha else Outcome.FAILS if tails[1] < alpha else Outcome.UNDECIDED
        if seeds < rule.fewest():
            expected = Outcome.UNTRIGGERED
        assert judge(held, seeds, rule, alpha).outcome is expected


def chance(outcome: Outcome, seeds: int, truth: float) -> float:
    """Of this outcome in one look, by exact summation."""
    counts = [held for held in range(seeds + 1) if judge(held, seeds, RULE, 0.05).outcome is outcome]
    return float(np.sum(binom.pmf(counts, seeds, truth)))


def test_how_often_32_seeds_err_at_the_required_share_itself() -> None:
    """In whole numbers: k of 32 hold in comb(32, k) 4^k of 5^32 equally likely ways."""
    ways = [math.comb(32, held) * 4**held for held in range(33)]
    assert 20 * sum(ways[:22]) < 5**32 < 20 * sum(ways[:23])  # up to 21 are few enough for FAILS
    assert 20 * sum(ways[30:]) < 5**32 < 20 * sum(ways[29:])  # 30 and more are enough for HOLDS
    assert chance(Outcome.FAILS, 32, 0.8) == pytest.approx(sum(ways[:22]) / 5**32)
    assert chance(Outcome.HOLDS, 32, 0.8) == pytest.approx(sum(ways[30:]) / 5**32)
    assert round(chance(Outcome.FAILS, 32, 0.8), 3) == 0.041
    assert round(chance(Outcome.HOLDS, 32, 0.8), 3) == 0.032


def test_a_share_well_above_the_required_one_is_found() -> None:
    assert chance(Outcome.HOLDS, 64, 0.95) > 0.9
    assert chance(Outcome.HOLDS, 32, 0.9) == pytest.approx(0.35, abs=0.02)
    assert chance(Outcome.HOLDS, 64, 0.9) == pytest.approx(0.68, abs=0.02)
    assert chance(Outcome.FAILS, 64, 0.5) > 0.99


@given(st.integers(14, 200), st.integers(0, 100).map(lambda percent: percent / 100))
def test_no_truth_makes_one_look_err_more_often(seeds: int, truth: float) -> None:
    assert chance(Outcome.HOLDS, seeds, min(truth, 0.8)) <= 0.05
    assert chance(Outcome.FAILS, seeds, max(truth, 0.8)) <= 0.05


def decided(held: Counts, applicable: Counts, alpha: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which sequences hold and which fail at one look."""
    pairs, which = np.unique(np.stack([held, applicable], axis=1), axis=0, return_inverse=True)
    outcomes = [judge(int(h), int(n), RULE, alpha).outcome for h, n in pairs]
    return (
        np.array([one is Outcome.HOLDS for one in outcomes])[which],
        np.array([one is Outcome.FAILS for one in outcomes])[which],
    )


def wrong(alphas: tuple[float, ...], applies: float, sequences: int) -> tuple[float, float]:
    """Shares of sequences that come to HOLDS and to FAILS where the truth is 0.8 exactly: as wrong as either can be."""
    rng = np.random.default_rng(2)
    held, applicable = np.zeros((2, sequences), dtype=np.int64)
    going_on, holds, fails = np.ones(sequences, dtype=bool), 0, 0
    for new, alpha in zip(np.diff(LOOKS, prepend=0), alphas, strict=True):
        triggered = rng.binomial(new, applies, sequences)
        applicable += triggered
        held += rng.binomial(triggered, 0.8)
        won, lost = decided(held, applicable, alpha)
        holds += int((going_on & won).sum())
        fails += int((going_on & lost).sum())
        going_on &= ~(won | lost)
    return holds / sequences, fails / sequences


@pytest.mark.parametrize("applies", [1.0, 0.7, 0.3])
def test_repeated_looks_err_as_rarely_as_was_paid_for_and_unpaid_ones_do_not(applies: float) -> None:
    sequences = 40_000
    error = 3 * np.sqrt(0.05 * 0.95 / sequences)
    assert max(wrong(spending(0.05, len(LOOKS)), applies, sequences)) <= 0.05 + error
    assert min(wrong((0.05,) * len(LOOKS), applies, sequences)) > 0.05 + error


def test_too_few_applicable_seeds_are_no_answer() -> None:
    fewest = RULE.fewest()
    assert judge(fewest - 1, fewest - 1, RULE, 0.05).outcome is Outcome.UNTRIGGERED
    assert judge(0, fewest - 1, RULE, 0.05).outcome is Outcome.UNTRIGGERED
    assert judge(fewest, fewest, RULE, 0.05).outcome is Outcome.HOLDS
    assert judge(0, fewest, RULE, 0.05).outcome is Outcome.FAILS


@given(st.floats(1e-4, 0.5), st.integers(1, 12))
def test_looks_spend_what_there_is(alpha: float, looks: int) -> None:
    spent = spending(alpha, looks)
    assert sum(spent) == pytest.approx(alpha)
    assert len(spent) == looks
    assert min(spent) > 0.0
