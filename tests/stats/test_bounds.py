"""Exact bounds against scipy, and the error rates of the rule that every verdict follows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from spikecheck.core.errors import SettingError
from spikecheck.core.verdict import Outcome
from spikecheck.stats.bootstrap import median_interval
from spikecheck.stats.bounds import clopper_pearson, judge, spending
from spikecheck.stats.prediction import Prediction

RULE = Prediction(above=0.0, of_seeds=0.8, level=0.95)


@given(st.integers(1, 200), st.data(), st.floats(0.001, 0.2))
def test_bounds_are_scipys(applicable: int, data: st.DataObject, alpha: float) -> None:
    held = data.draw(st.integers(0, applicable))
    oracle = binomtest(held, applicable).proportion_ci(1 - 2 * alpha, "exact")
    assert clopper_pearson(held, applicable, alpha) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


@pytest.mark.parametrize("seeds", [32, 64, 128])
def test_one_look_decides_exactly_where_the_binomial_tails_fall_below_5_percent(seeds: int) -> None:
    for held in range(seeds + 1):
        expected = Outcome.UNDECIDED
        if binom.sf(held - 1, seeds, 0.8) <= 0.05:
            expected = Outcome.HOLDS
        elif binom.cdf(held, seeds, 0.8) < 0.05:
            expected = Outcome.FAILS
        assert judge(held, seeds, RULE, 0.05).outcome is expected


@pytest.mark.parametrize("applies", [1.0, 0.7])
def test_repeated_looks_stay_within_what_was_paid_for_and_unpaid_ones_do_not(applies: float) -> None:
    rng = np.random.default_rng(2)
    looks = (64, 128, 256)
    wrong = {"paid": [0, 0], "unpaid": [0, 0]}
    rounds = 4_000
    for _ in range(rounds):
        triggered = np.cumsum(rng.random(256) < applies)
        held = np.cumsum((rng.random(256) < 0.8) & (np.diff(triggered, prepend=0) > 0))
        for name, alphas in (("paid", spending(0.05, 3)), ("unpaid", (0.05,) * 3)):
            for seeds, alpha in zip(looks, alphas, strict=True):
                found = judge(int(held[seeds - 1]), int(triggered[seeds - 1]), RULE, alpha).outcome
                if found in (Outcome.HOLDS, Outcome.FAILS):
                    wrong[name][found is Outcome.FAILS] += 1
                    break
    margin = 3 * np.sqrt(0.05 * 0.95 / rounds)
    assert max(wrong["paid"]) / rounds <= 0.05 + margin
    assert max(wrong["unpaid"]) / rounds > 0.05 + margin


def test_64_seeds_find_a_true_share_of_95_percent() -> None:
    power = sum(binom.pmf(held, 64, 0.95) for held in range(65) if judge(held, 64, RULE, 0.05).outcome is Outcome.HOLDS)
    assert power > 0.9


def test_too_few_applicable_seeds_are_no_answer() -> None:
    assert judge(13, 13, RULE, 0.05).outcome is Outcome.UNTRIGGERED
    assert judge(RULE.fewest(), RULE.fewest(), RULE, 0.05).outcome is Outcome.HOLDS


@given(st.floats(1e-4, 0.5), st.integers(1, 6))
def test_looks_spend_what_there_is(alpha: float, looks: int) -> None:
    assert sum(spending(alpha, looks)) == pytest.approx(alpha)
    assert len(spending(alpha, looks)) == looks


@pytest.mark.parametrize("wrong", [{"of_seeds": 1.2, "above": 0.0}, {"level": 0.0, "above": 0.0}, {}])
def test_a_prediction_that_predicts_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        Prediction(**wrong)


def test_the_median_interval_covers_the_median() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        _, low, high = median_interval(rng.exponential(size=40), 0.95)
        covered += low <= np.log(2) <= high
    assert 0.88 <= covered / 200 <= 0.99
