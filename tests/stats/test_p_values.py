"""p-values belong to the bounds: what is decided at alpha has one of alpha at most, and what is not has a larger one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp

from spikecheck.core.judgement import Outcome
from spikecheck.stats.bounds import judge
from spikecheck.stats.p_values import of_average, of_share
from spikecheck.stats.prediction import Average, Equivalence, Prediction

SCORES = st.lists(st.integers(-80, 80).map(lambda eighths: eighths / 8), min_size=12, max_size=60)
RULES = (
    Average(above=0.0),
    Average(above=0.0, worth=0.5),
    Average(below=1.0, worth=0.25),
    Average(at_least=-1.0, of="median"),
    Equivalence(at_least=-1.0, at_most=1.0),
)


@given(
    st.integers(1, 200).flatmap(lambda seeds: st.tuples(st.integers(0, seeds), st.just(seeds))), st.floats(0.1, 0.95)
)
def test_a_shares_are_scipys(counts: tuple[int, int], required: float) -> None:
    holds, fails = of_share(*counts, required)
    assert holds == pytest.approx(binomtest(*counts, required, alternative="greater").pvalue)
    assert fails == pytest.approx(binomtest(*counts, required, alternative="less").pvalue)


@given(
    st.integers(14, 200).flatmap(lambda seeds: st.tuples(st.integers(0, seeds), st.just(seeds))), st.floats(0.005, 0.2)
)
def test_a_share_is_decided_where_they_are_small_enough(counts: tuple[int, int], alpha: float) -> None:
    held, seeds = counts
    rule = Prediction(above=0.0, of_seeds=0.8)
    outcome = judge(held, [1.0] * held + [-1.0] * (seeds - held), rule, alpha).outcome
    holds, fails = of_share(held, seeds, 0.8)
    if min(abs(holds - alpha), abs(fails - alpha)) > 1e-9:
        assert (outcome is Outcome.HOLDS) == (holds <= alpha)
        assert (outcome is Outcome.FAILS) == (fails <= alpha)


@given(SCORES, st.sampled_from(RULES), st.floats(0.005, 0.2))
def test_what_is_decided_of_an_average_at_alpha_has_a_p_value_of_alpha_at_most(
    scores: list[float], rule: Average, alpha: float
) -> None:
    outcome = judge(0, scores, rule, alpha).outcome
    holds, fails = of_average(scores, rule)
    assert outcome is not Outcome.HOLDS or holds <= alpha + 1e-6
    assert outcome is not Outcome.FAILS or fails <= alpha + 1e-6


def test_an_estimate_that_is_not_worth_a_claim_does_not_hold_however_sure_it_is_to_be_above_the_limit() -> None:
    """Regression: it held with few seeds and failed with many, so that the number of seeds decided."""
    scores = (0.4 + np.tile([1.0, -1.0], 40)).tolist()
    rule = Average(above=0.0, worth=0.5)
    assert judge(0, scores, rule, 0.02).outcome is Outcome.UNDECIDED
    assert judge(0, scores * 10, rule, 0.02).outcome is Outcome.FAILS
    assert of_average(scores, rule)[0] == 1.0


@given(st.lists(st.integers(0, 80), min_size=6, max_size=30), st.integers(-8, 8))
def test_a_mean_of_symmetric_effects_has_students(half: list[int], eighths: int) -> None:
    scores = [eighths / 8 + sign * number / 8 for number in half for sign in (1, -1)]
    if not np.ptp(scores):
        return
    oracle = ttest_1samp(scores, 0.0, alternative="greater").pvalue
    if 1e-9 < oracle < 0.45:
        assert of_average(scores, Average(above=0.0))[0] == pytest.approx(oracle, rel=1e-3)


def test_of_no_seeds_neither_decision_is_made() -> None:
    assert of_average([], Average(above=0.0)) == (1.0, 1.0)
