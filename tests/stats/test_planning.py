"""How many seeds would decide: that so many do, and that fewer do not."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from spikecheck.core.judgement import Outcome
from spikecheck.stats.bounds import judge
from spikecheck.stats.planning import seeds_to_decide, seeds_to_decide_together
from spikecheck.stats.prediction import Average, Equivalence, Prediction

DECIDED = (Outcome.HOLDS, Outcome.FAILS)


@given(
    st.integers(14, 200).flatmap(lambda seeds: st.tuples(st.integers(0, seeds), st.just(seeds))), st.floats(0.01, 0.1)
)
def test_so_many_seeds_decide_about_a_share(counts: tuple[int, int], alpha: float) -> None:
    held, seeds = counts
    rule = Prediction(above=0.0, of_seeds=0.8)
    needed = seeds_to_decide(held, [1.0] * held + [-1.0] * (seeds - held), rule, alpha)
    if needed is None:
        assert abs(held / seeds - 0.8) < 0.003
        return

    def decided(count: int) -> bool:
        as_many = round(held / seeds * count)
        return judge(as_many, [1.0] * as_many + [-1.0] * (count - as_many), rule, alpha).outcome in DECIDED

    assert needed < 14 or decided(needed) or needed > 10_000
    fewer = [count for count in range(14, min(needed, 400)) if decided(count)]
    assert len(fewer) <= 0.25 * min(needed, 400) + 3, "whole seeds scatter around it"


def test_a_share_that_is_just_the_required_one_is_never_decided() -> None:
    assert seeds_to_decide(80, [1.0] * 100, Prediction(above=0.0, of_seeds=0.8), 0.05) is None
    assert seeds_to_decide(0, [], Prediction(above=0.0), 0.05) is None


def sample(mean: float, spread: float = 1.0) -> list[float]:
    """Effects with this mean, median and standard deviation."""
    half = np.sqrt(39 / 40) * spread
    return [mean + sign * half for sign in (1, -1)] * 20


@pytest.mark.parametrize(
    ("rule", "mean", "distance"),
    [
        (Average(above=0.0), 0.1, 0.1),
        (Average(above=0.0), -0.2, 0.2),
        (Average(below=1.0), 0.9, 0.1),
        (Average(above=0.0, worth=0.5), 0.0, 0.5),  # regression: never, though it is half a deviation from its worth
        (Average(above=0.0, worth=0.5), 0.1, 0.4),
        (Average(above=0.0, worth=0.5), 0.4, 0.1),  # then it fails
        (Average(above=0.0, worth=0.5), 0.6, 0.6),
        (Average(above=0.0, worth=0.5), -0.1, 0.6),
        (Average(at_most=2.0, worth=0.5), 2.0, 0.5),
        (Equivalence(at_least=-1.0, at_most=1.0), 0.0, 1.0),
        (Equivalence(at_least=-1.0, at_most=1.0), 0.75, 0.25),
        (Equivalence(at_least=-1.0, at_most=1.0), 1.5, 0.5),
    ],
)
def test_an_average_is_decided_where_its_distance_is_so_many_standard_errors(
    rule: Average, mean: float, distance: float
) -> None:
    for alpha in (0.05, 0.0218):
        expected = max(12, math.ceil((-ndtri(alpha) / distance) ** 2))
        assert seeds_to_decide(0, sample(mean), rule, alpha) == pytest.approx(expected, abs=1)


# Means that few or very many seeds decide about are left out, which are most of those near a limit and far from it.
@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.floats(-1.5, 1.5), st.floats(0.3, 3.0), st.sampled_from([0.0, 0.25, 0.5]))
def test_so_many_normal_seeds_decide_about_a_mean(mean: float, spread: float, worth: float) -> None:
    rule = Average(above=0.0, worth=worth)
    needed = seeds_to_decide(0, sample(mean, spread), rule, 0.05)
    assume(abs(mean - worth) > 1e-9)  # there the mean of the scores may round to either side
    assume(needed is not None and 30 < needed < 20_000)
    assert needed is not None
    quantiles = ndtri((np.arange(needed) + 0.5) / needed)
    scores = (mean + spread * quantiles / quantiles.std(ddof=1)).tolist()
    more = (mean + spread * np.tile(quantiles, 2) / quantiles.std(ddof=1)).tolist()
    assert judge(0, more, rule, 0.05).outcome in DECIDED
    assert judge(0, scores[:: max(2, needed // 12)], rule, 0.05).outcome not in DECIDED or needed < 60


def test_a_medians_seeds_are_half_as_many_again() -> None:
    mean, median = (seeds_to_decide(0, sample(0.1), Average(above=0.0, of=of), 0.05) for of in ("mean", "median"))
    assert mean is not None and median is not None
    assert median / mean == pytest.approx(math.pi / 2, rel=0.01)


def test_what_lies_on_its_limit_is_never_decided() -> None:
    assert seeds_to_decide(0, sample(0.0), Average(above=0.0), 0.05) is None
    assert seeds_to_decide(0, sample(1.0), Equivalence(at_least=-1.0, at_most=1.0), 0.05) is None
    assert seeds_to_decide(0, [1.0], Average(above=0.0), 0.05) is None


def test_of_several_averages_the_slowest_that_waits_says_how_many_seeds_it_takes() -> None:
    """Regression: the claim's own average was asked, which had been decided long before: 12 seeds, after 64."""
    rule = Average(above=0.0)
    clear, unclear, wrong = sample(1.0), sample(0.05), sample(-0.1)
    alone = seeds_to_decide(0, unclear, rule, 0.05)
    assert seeds_to_decide_together([(clear, rule), (unclear, rule)], 0.05) == alone
    assert seeds_to_decide_together([(unclear, rule), (clear, rule)], 0.05) == alone
    assert seeds_to_decide_together([(clear, rule), (wrong, rule)], 0.05) == seeds_to_decide(0, wrong, rule, 0.025)
    assert seeds_to_decide_together([(clear, rule), (sample(0.0), rule)], 0.05) is None
    assert seeds_to_decide_together([(clear, rule), ([], rule)], 0.05) is None


SKEWED = [-0.25] * 11 + [1.25] * 9
"""A mean of 0.425 and a median of -0.25: on both sides of 0."""


@pytest.mark.parametrize(("of", "centre"), [("mean", 0.425), ("median", -0.25)])
def test_the_average_that_decides_is_asked(of: str, centre: float) -> None:
    spread = float(np.std(SKEWED, ddof=1)) * (1.0 if of == "mean" else math.sqrt(math.pi / 2))
    rule, clear = Average(above=0.0, of="mean" if of == "mean" else "median"), (sample(1.0), Average(above=0.0))
    for alpha in (0.002, 0.001):
        expected = max(rule.fewest(), math.ceil((float(-ndtri(alpha)) * spread / centre) ** 2))
        assert seeds_to_decide(0, SKEWED, rule, alpha) == expected
    own = 0.002 if of == "mean" else 0.001  # a median on the wrong side fails both, at its share
    assert seeds_to_decide_together([(SKEWED, rule), clear], 0.002) == seeds_to_decide(0, SKEWED, rule, own)


def test_an_average_of_just_what_is_worth_a_claim_is_on_the_right_side() -> None:
    rule, scores = Average(above=0.0, worth=0.5), [1.5, -0.5] * 8
    alone = seeds_to_decide(0, scores, rule, 0.002)
    assert alone == math.ceil((float(-ndtri(0.002)) * float(np.std(scores, ddof=1)) / 0.5) ** 2)
    assert seeds_to_decide_together([(scores, rule), (sample(1.0), Average(above=0.0))], 0.002) == alone


def test_an_average_without_a_seed_leaves_the_others_open() -> None:
    rule = Average(above=0.0)
    assert seeds_to_decide_together([(sample(0.05), rule), ([], rule)], 0.05) is None


def test_two_seeds_have_a_spread_and_what_takes_more_than_a_million_is_none() -> None:
    assert seeds_to_decide(0, [1.0, 0.5], Average(above=0.0), 0.05) == 12
    assert seeds_to_decide(0, sample(1e-4), Average(above=0.0), 0.05) is None


@pytest.mark.parametrize(
    ("held", "seeds", "required", "alpha", "needed"),
    [(9, 10, 0.8, 0.05, 44), (9, 9, 0.4, 0.05, 4), (9, 9, 0.5, 0.0625, 4), (0, 9, 0.5, 0.0625, 4)],
)
def test_a_share_has_the_seeds_that_its_tail_says(
    held: int, seeds: int, required: float, alpha: float, needed: int
) -> None:
    """0.4 to the fourth is 0.026, and a half to the fourth just 0.0625."""
    rule = Prediction(above=0.0, of_seeds=required)
    assert seeds_to_decide(held, [1.0] * held + [-1.0] * (seeds - held), rule, alpha) == needed
