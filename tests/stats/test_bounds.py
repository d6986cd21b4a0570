"""Exact bounds against scipy, the outcomes that they decide, and how often one look errs."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, ttest_1samp

from spikecheck.core.judgement import Outcome
from spikecheck.stats.averages import Interval
from spikecheck.stats.bounds import Decision, clopper_pearson, judge, of_average, of_share, together
from spikecheck.stats.prediction import Average, Equivalence, Estimand, Prediction

RULE = Prediction(above=0.0, of_seeds=0.8, level=0.95)
ALPHAS = st.floats(0.001, 0.3)
COUNTS = st.integers(1, 300).flatmap(lambda drawn: st.tuples(st.integers(0, drawn), st.just(drawn)))
SCORES = st.lists(st.integers(-80, 80).map(lambda eighths: eighths / 8), min_size=1, max_size=60)
PROBABLE = {Outcome.FAILS: 0, Outcome.UNDECIDED: 1, Outcome.HOLDS: 2}


def of_count(held: int, seeds: int, rule: Prediction = RULE, alpha: float = 0.05) -> Outcome:
    """Of so many seeds, of which so many held."""
    return judge(held, [1.0] * held + [-1.0] * (seeds - held), rule, alpha).outcome


def of_scores(scores: list[float], rule: Estimand, alpha: float = 0.05) -> Decision:
    """Of effects."""
    return judge(sum(map(rule.held, scores)), scores, rule, alpha)


@given(COUNTS, ALPHAS)
def test_bounds_are_scipys(counts: tuple[int, int], alpha: float) -> None:
    oracle = binomtest(*counts).proportion_ci(1 - 2 * alpha, "exact")
    assert clopper_pearson(*counts, alpha) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


@given(COUNTS, ALPHAS)
def test_a_judged_share_has_its_bounds(counts: tuple[int, int], alpha: float) -> None:
    held, drawn = counts
    found = judge(held, [1.0] * held + [-1.0] * (drawn - held), RULE, alpha)
    assert (found.low, found.high) == clopper_pearson(held, drawn, alpha)


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
    for rule in (RULE, Average(above=0.0), Average(above=0.0, of="median"), Equivalence(at_least=-1.0, at_most=1.0)):
        assert judge(0, [], rule, 0.05) == Decision(Outcome.UNTRIGGERED, 0.0, 1.0)


@given(st.integers(1, 200), st.floats(0.5, 0.95), ALPHAS)
def test_one_look_decides_where_a_tail_falls_below_alpha(seeds: int, required: float, alpha: float) -> None:
    rule = Prediction(above=0.0, of_seeds=required, level=1.0 - alpha)
    for held in range(seeds + 1):
        tails = binom.sf(held - 1, seeds, required), binom.cdf(held, seeds, required)
        assume(min(abs(tail - alpha) for tail in tails) > 1e-9)
        expected = Outcome.HOLDS if tails[0] < alpha else Outcome.FAILS if tails[1] < alpha else Outcome.UNDECIDED
        if seeds < rule.fewest():
            expected = Outcome.UNTRIGGERED
        assert of_count(held, seeds, rule, alpha) is expected


def chance(outcome: Outcome, seeds: int, truth: float) -> float:
    """Of this outcome in one look, by exact summation."""
    counts = [held for held in range(seeds + 1) if of_count(held, seeds) is outcome]
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


def test_too_few_applicable_seeds_are_no_answer() -> None:
    fewest = RULE.fewest()
    assert of_count(fewest - 1, fewest - 1) is Outcome.UNTRIGGERED
    assert of_count(0, fewest - 1) is Outcome.UNTRIGGERED
    assert of_count(fewest, fewest) is Outcome.HOLDS
    assert of_count(0, fewest) is Outcome.FAILS
    assert of_scores([1.0] * 11, Average(above=0.0)).outcome is Outcome.UNTRIGGERED
    assert of_scores([1.0] * 12, Average(above=0.0)).outcome is Outcome.HOLDS
    assert of_scores([1.0] * 4, Average(above=0.0, of="median")).outcome is Outcome.UNTRIGGERED
    assert of_scores([1.0] * 5, Average(above=0.0, of="median")).outcome is Outcome.HOLDS


@given(st.integers(14, 200), st.floats(0.3, 0.95), ALPHAS)
def test_more_that_held_never_turn_what_holds_into_what_fails(seeds: int, required: float, alpha: float) -> None:
    rule = Prediction(above=0.0, of_seeds=required)
    assume(rule.fewest() <= seeds)
    places = [PROBABLE[of_count(held, seeds, rule, alpha)] for held in range(seeds + 1)]
    assert places == sorted(places)


@given(st.integers(1, 15), st.integers(1, 19), ALPHAS)
def test_what_exactly_the_required_share_of_seeds_shows_is_nothing(twenties: int, part: int, alpha: float) -> None:
    found = of_count(part * twenties, 20 * twenties, Prediction(above=0.0, of_seeds=part / 20), alpha)
    assert found in (Outcome.UNDECIDED, Outcome.UNTRIGGERED)


RULES = (
    RULE,
    Average(above=0.0, worth=0.5),
    Average(below=1.0),
    Average(at_least=-1.0, of="median"),
    Average(at_most=0.5, worth=0.25, of="median"),
    Average(above=-2.0, at_most=3.0),
    Equivalence(at_least=-1.0, at_most=1.0),
    Equivalence(above=-1.0, below=1.0, of="median"),
)


@given(SCORES, st.sampled_from(RULES), st.data())
def test_the_order_of_scores_is_irrelevant(scores: list[float], rule: Estimand, data: st.DataObject) -> None:
    assert of_scores(scores, rule).outcome is of_scores(data.draw(st.permutations(scores)), rule).outcome


def mirrored(rule: Estimand) -> Estimand:
    """The rule about the opposite effects."""
    turned = {"above": "below", "below": "above", "at_least": "at_most", "at_most": "at_least"}
    changes = {turned[name]: -getattr(rule, name) for name in turned if getattr(rule, name) is not None}
    opposite: dict[str, Any] = {name: changes.get(name) for name in turned}
    return dataclasses.replace(rule, **opposite)


@given(SCORES, st.sampled_from(RULES), ALPHAS)
def test_the_opposite_effects_by_the_opposite_rule_are_judged_alike(
    scores: list[float], rule: Estimand, alpha: float
) -> None:
    opposite = of_scores([-score for score in scores], mirrored(rule), alpha)
    assert opposite.outcome is of_scores(scores, rule, alpha).outcome


@given(SCORES, st.sampled_from(RULES[1:]), st.sampled_from([0.25, 4.0, 1024.0]), st.integers(-40, 40))
def test_an_average_is_judged_alike_in_other_units_and_from_another_zero(
    scores: list[float], rule: Average, scale: float, shift: int
) -> None:
    names = ("above", "at_least", "below", "at_most")
    limits = {name: scale * (getattr(rule, name) + shift) for name in names if getattr(rule, name) is not None}
    other = dataclasses.replace(rule, worth=scale * rule.worth, **limits)
    decision = of_scores(scores, rule)
    bounds = (decision.average.low, decision.average.high) if decision.average else ()
    edges = [edge for edge in (rule.floor, rule.ceiling) if edge is not None]
    edges += [edge + side * rule.worth for edge in edges for side in (1, -1)]
    assume(len(set(scores)) == 1 or not any(abs(bound - edge) < 1e-6 for bound in bounds for edge in edges))
    assert of_scores([scale * (score + shift) for score in scores], other).outcome is decision.outcome


@given(SCORES.filter(lambda scores: len(scores) >= 12), st.integers(-8, 8), ALPHAS)
def test_a_mean_is_judged_no_sooner_than_by_students_test(scores: list[float], eighths: int, alpha: float) -> None:
    limit = eighths / 8
    assume(len(set(scores)) > 1)
    outcome = of_scores(scores, Average(above=limit), alpha).outcome
    greater = ttest_1samp(scores, limit, alternative="greater").pvalue
    less = ttest_1samp(scores, limit, alternative="less").pvalue
    assert outcome is not Outcome.HOLDS or greater <= alpha + 1e-9
    assert outcome is not Outcome.FAILS or less <= alpha + 1e-9


@given(SCORES.filter(lambda scores: len(scores) >= 5), st.integers(-8, 8), ALPHAS)
def test_a_median_is_judged_as_by_the_sign_test(scores: list[float], eighths: int, alpha: float) -> None:
    """Effects on the limit count against what is claimed of it: above 0 is not 0, and at least 0 is."""
    limit, count = eighths / 8, len(scores)
    above, at = (np.array(scores) > limit).sum(), (np.array(scores) == limit).sum()
    assume(all(abs(binom.cdf(k, count, 0.5) - alpha) > 1e-12 for k in range(count)))
    rule = Average(above=limit, of="median")
    assert (of_scores(scores, rule, alpha).outcome is Outcome.HOLDS) == (
        binomtest(int(above), count, 0.5, alternative="greater").pvalue <= alpha
    )
    rule = Average(at_least=limit, of="median")
    assert (of_scores(scores, rule, alpha).outcome is Outcome.HOLDS) == (
        binomtest(int(above + at), count, 0.5, alternative="greater").pvalue <= alpha
    )


@pytest.mark.parametrize("of", ["mean", "median"])
@pytest.mark.parametrize("value", [0.0, 0.1, 0.3, -0.7])
def test_effects_that_all_lie_on_the_limit_hold_only_where_it_is_included(value: float, of: Any) -> None:
    """Regression: with rounding, the mean of twelve times 0.1 was surely above 0.1."""
    scores = [value] * 12
    assert of_scores(scores, Average(above=value, of=of)).outcome is Outcome.FAILS
    assert of_scores(scores, Average(below=value, of=of)).outcome is Outcome.FAILS
    assert of_scores(scores, Average(at_least=value, of=of)).outcome is Outcome.HOLDS
    assert of_scores(scores, Average(at_most=value, of=of)).outcome is Outcome.HOLDS
    assert of_scores(scores, Equivalence(at_least=value, at_most=value + 1, of=of)).outcome is Outcome.HOLDS
    assert of_scores(scores, Equivalence(above=value, at_most=value + 1, of=of)).outcome is Outcome.FAILS


HOLDS, FAILS, UNDECIDED = Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("rule", "low", "high", "expected"),
    [
        (Average(above=0.0), 0.0, 1.0, UNDECIDED),
        (Average(at_least=0.0), 0.0, 1.0, HOLDS),
        (Average(above=0.0), 1e-9, 1.0, HOLDS),
        (Average(above=0.0), -1.0, 0.0, UNDECIDED),
        (Average(above=0.0), -1.0, -1e-9, FAILS),
        (Average(below=0.0), -1.0, 0.0, UNDECIDED),
        (Average(at_most=0.0), -1.0, 0.0, HOLDS),
        (Average(at_most=0.0), 1e-9, 1.0, FAILS),
        (Average(above=0.0, worth=0.5), -0.1, 0.4, FAILS),
        (Average(above=0.0, worth=0.5), 0.1, 0.4, FAILS),  # surely above 0, and surely too little
        (Average(above=0.0, worth=0.5), 0.1, 0.5, UNDECIDED),  # surely above 0, its estimate too small: more seeds tell
        (Average(above=0.0, worth=0.5), 0.1, 0.9, HOLDS),
        (Average(above=0.0, worth=0.5), -0.1, 0.5, UNDECIDED),
        (Average(below=0.0, worth=0.5), -0.4, 0.1, FAILS),
        (Average(below=0.0, worth=0.5), -0.5, -0.1, UNDECIDED),
        (Average(below=0.0, worth=0.5), -0.9, -0.1, HOLDS),
        (Equivalence(at_least=-1.0, at_most=1.0), -1.0, 1.0, HOLDS),
        (Equivalence(above=-1.0, below=1.0), -1.0, 0.5, UNDECIDED),
        (Equivalence(at_least=-1.0, at_most=1.0), 0.5, 1.5, UNDECIDED),
        (Equivalence(at_least=-1.0, at_most=1.0), -2.0, 2.0, UNDECIDED),
        (Equivalence(at_least=-1.0, at_most=1.0), 1.1, 2.0, FAILS),
        (Equivalence(at_least=-1.0, at_most=1.0), -3.0, -1.1, FAILS),
        (Average(above=0.0), -math.inf, math.inf, UNDECIDED),
    ],
)
def test_what_an_averages_bounds_decide(rule: Average, low: float, high: float, expected: Outcome) -> None:
    assert of_average(Interval((low + high) / 2, low, high), rule) is expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.8, 0.9, HOLDS), (0.7, 0.8, UNDECIDED), (0.7, 0.79, FAILS), (0.0, 1.0, UNDECIDED), (0.79, 0.9, UNDECIDED)],
)
def test_what_a_shares_bounds_decide(low: float, high: float, expected: Outcome) -> None:
    assert of_share(low, high, 0.8) is expected


@given(SCORES, st.sampled_from(RULES), ALPHAS)
def test_the_share_is_told_whatever_decides(scores: list[float], rule: Estimand, alpha: float) -> None:
    decision = of_scores(scores, rule, alpha)
    assert (decision.low, decision.high) == clopper_pearson(sum(map(rule.held, scores)), len(scores), alpha)
    assert (decision.average is None) == isinstance(rule, Prediction)


SURELY, NOT, OPEN, FEW = [1.0, 1.5] * 8, [-1.0, -1.5] * 8, [1.0, -1.0] * 8, [1.0]


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ([SURELY], HOLDS),
        ([SURELY, SURELY, SURELY], HOLDS),
        ([SURELY, OPEN, SURELY], UNDECIDED),
        ([SURELY, SURELY, OPEN], UNDECIDED),
        ([OPEN, SURELY], UNDECIDED),
        ([SURELY, NOT], FAILS),
        ([NOT, SURELY], FAILS),
        ([OPEN, SURELY, NOT], FAILS),
        ([FEW, SURELY], Outcome.UNTRIGGERED),
        ([FEW, NOT], FAILS),
        ([SURELY, FEW], UNDECIDED),
    ],
)
def test_several_averages_hold_together_and_one_that_fails_is_enough(
    effects: list[list[float]], expected: Outcome
) -> None:
    assert together([(values, Average(above=0.0)) for values in effects], 0.05) is expected


def test_one_of_several_averages_must_fail_at_its_share_of_the_error() -> None:
    rule, scores = Average(above=0.0), [-1.0, 0.5, -1.0, 0.2, -0.7, 0.6, -1.2, 0.1] * 2
    alphas = np.linspace(0.01, 0.5, 200).tolist()
    error = min(alpha for alpha in alphas if judge(0, scores, rule, alpha).outcome is FAILS)
    assert together([(scores, rule)], error) is FAILS
    assert together([(scores, rule), (OPEN, rule)], error) is UNDECIDED
    assert together([(scores, rule), (OPEN, rule)], 2.001 * error) is FAILS
