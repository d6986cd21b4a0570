"""A claim against its control: exact error rates over every outcome, and what becomes of it the other way round."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.stats import multinomial

from spikecheck.core.judgement import Outcome
from spikecheck.stats.averages import mean_interval, median_interval
from spikecheck.stats.contrast import SHARE_MARGIN, Difference, Pair, contrast
from spikecheck.stats.looks import nominal_alpha
from spikecheck.stats.prediction import Average, Equivalence, Estimand, Prediction

HOLDS, FAILS, UNDECIDED, UNTRIGGERED = Outcome.HOLDS, Outcome.FAILS, Outcome.UNDECIDED, Outcome.UNTRIGGERED
SHARE = Prediction(above=0.0, of_seeds=0.8)
ALPHA = 0.05
ALIKE = Equivalence(at_least=-1.0, at_most=1.0)


def paired(claims: ArrayLike, controls: ArrayLike, rule: Estimand) -> list[Pair]:
    """As `harness.evidence.pairs` makes them."""
    both = zip(np.asarray(claims).tolist(), np.asarray(controls).tolist(), strict=True)
    return [Pair(one, other, rule.held(one), rule.held(other)) for one, other in both]


def counts(both: int, claim: int, control: int, neither: int) -> list[Pair]:
    """So many seeds in which both held, only the claim, only the control, and neither."""
    held = [(1, 1)] * both + [(1, -1)] * claim + [(-1, 1)] * control + [(-1, -1)] * neither
    return paired([one for one, _ in held], [other for _, other in held], SHARE)


def outcomes(seeds: int) -> Iterator[tuple[tuple[int, int, int], Outcome]]:
    """Everything that so many seeds can show, by only-claim, only-control and the rest, and what is made of it."""
    for claim in range(seeds + 1):
        for control in range(seeds + 1 - claim):
            rest = seeds - claim - control
            yield (claim, control, rest), contrast(counts(rest, claim, control, 0), SHARE, ALPHA).outcome


@pytest.mark.parametrize("seeds", [14, 32])
def test_shares_that_differ_by_the_margin_are_told_apart_in_at_most_one_of_twenty(seeds: int) -> None:
    """Over every outcome, whatever claim and control have in common."""
    found = list(outcomes(seeds))
    for control in (0.0, 0.02, 0.1, 0.2, 0.25):
        law = multinomial(seeds, [control + SHARE_MARGIN, control, 1 - SHARE_MARGIN - 2 * control])
        chances = {outcome: sum(law.pmf(seen) for seen, made in found if made is outcome) for outcome in (HOLDS, FAILS)}
        assert chances[HOLDS] <= ALPHA
        assert chances[FAILS] <= ALPHA


def test_88_and_72_per_cent_never_pass_for_different_however_many_seeds() -> None:
    for seeds in (50, 200, 2000):
        both, claim, control = (round(seeds * share) for share in (0.66, 0.22, 0.06))
        found = contrast(counts(both, claim, control, seeds - both - claim - control), SHARE, ALPHA)
        assert found.estimate == pytest.approx(0.16)
        assert found.outcome is FAILS


def test_a_check_that_says_nothing_in_half_of_the_seeds_is_not_told_from_its_control() -> None:
    """It finds the claim in every seed, and its control in the half in which it would find anything."""
    for seeds in (32, 256, 4096):
        assert contrast(counts(seeds // 2, seeds // 2, 0, 0), SHARE, ALPHA).outcome is not HOLDS
    rule, blind = ALIKE, np.tile([0.0, 1.0], 64)
    effects = np.random.default_rng(0).normal(0.0, 0.1, 128)
    assert contrast(paired(effects * blind, (effects + 3.0) * blind, rule), rule, ALPHA).outcome is not HOLDS
    assert contrast(paired(effects, effects + 3.0, rule), rule, ALPHA).outcome is HOLDS


def test_a_control_that_fails_is_told_from_a_claim_that_holds() -> None:
    found = contrast(counts(2, 58, 0, 4), SHARE, nominal_alpha(0.05, [64, 128, 256]))
    assert (found.outcome, found.pairs) == (HOLDS, 64)
    assert found.margin == SHARE_MARGIN
    assert found.estimate == pytest.approx(58 / 64)


COUNTS = st.tuples(*[st.integers(0, 60)] * 4).filter(any)


def flipped(pairs: Sequence[Pair]) -> list[Pair]:
    """Claim and control in each other's place."""
    return [Pair(pair.control, pair.claim, pair.control_held, pair.claim_held) for pair in pairs]


def figures(found: Difference) -> tuple[float, float, float]:
    """Estimate and bounds, all there."""
    assert found.estimate is not None
    return found.estimate, -math.inf if found.low is None else found.low, math.inf if found.high is None else found.high


@given(COUNTS, st.floats(0.01, 0.2))
def test_shares_differ_the_other_way_round_by_the_opposite(seen: tuple[int, int, int, int], alpha: float) -> None:
    pairs = counts(*seen)
    estimate, low, high = figures(contrast(pairs, SHARE, alpha))
    assert figures(contrast(flipped(pairs), SHARE, alpha)) == pytest.approx((-estimate, -high, -low))
    assert low <= estimate <= high


@given(COUNTS)
def test_of_claim_and_control_at_most_one_exceeds_the_other(seen: tuple[int, int, int, int]) -> None:
    pairs = counts(*seen)
    assert [contrast(both, SHARE, ALPHA).outcome for both in (pairs, flipped(pairs))] != [HOLDS, HOLDS]


@given(COUNTS, st.integers(0, 3))
def test_one_more_seed_in_which_only_the_claim_held_never_lessens_the_difference(
    seen: tuple[int, int, int, int], place: int
) -> None:
    if not seen[2]:
        return
    both, claim, control, neither = seen
    better = contrast(counts(both, claim + 1, control - 1, neither), SHARE, ALPHA)
    assert figures(better)[1] >= figures(contrast(counts(*seen), SHARE, ALPHA))[1]


EIGHTHS = st.integers(-80, 80).map(lambda eighths: eighths / 8)
TWO = st.lists(st.tuples(EIGHTHS, EIGHTHS), min_size=12, max_size=40)
ONE_LIMIT = (
    Average(above=0.0, worth=0.5),
    Average(at_most=1.0, of="median"),
    Average(below=-2.0),
    Average(at_least=1.0),
)


@given(TWO, st.sampled_from(ONE_LIMIT))
def test_averages_differ_by_the_average_of_the_differences(scores: list[tuple[float, float]], rule: Average) -> None:
    claims, controls = np.array(scores).T
    sign = 1.0 if rule.floor is not None else -1.0
    interval = (mean_interval if rule.of == "mean" else median_interval)(sign * (claims - controls), ALPHA)
    found = contrast(paired(claims, controls, rule), rule, ALPHA)
    assert figures(found) == (interval.estimate, interval.low, interval.high)
    expected = FAILS if interval.high <= rule.worth else HOLDS if interval.low > 0.0 else UNDECIDED
    assert (found.outcome, found.margin, found.pairs) == (expected, 0.0, len(scores))


@given(TWO, st.sampled_from((*ONE_LIMIT[:1], *ONE_LIMIT[2:], ALIKE)))
def test_averages_differ_the_other_way_round_by_the_opposite(scores: list[tuple[float, float]], rule: Average) -> None:
    claims, controls = np.array(scores).T
    pairs = paired(claims, controls, rule)
    one, other = (contrast(both, rule, ALPHA) for both in (pairs, flipped(pairs)))
    assert one.estimate == pytest.approx(-figures(other)[0], abs=1e-9)
    if rule is not ALIKE:
        assert figures(one) == pytest.approx((-figures(other)[0], -figures(other)[2], -figures(other)[1]), abs=1e-9)
    assert {one.outcome, other.outcome} != {HOLDS} or one.outcome is not other.outcome


@given(TWO, st.sampled_from((*ONE_LIMIT, ALIKE, SHARE)), st.data())
def test_the_order_of_seeds_is_irrelevant(
    scores: list[tuple[float, float]], rule: Estimand, data: st.DataObject
) -> None:
    claims, controls = np.array(scores).T
    pairs = paired(claims, controls, rule)
    shuffled = data.draw(st.permutations(pairs))
    assert figures(contrast(pairs, rule, ALPHA)) == pytest.approx(figures(contrast(shuffled, rule, ALPHA)), abs=1e-9)


def test_too_few_pairs_tell_nothing() -> None:
    for rule, fewest in ((Average(above=0.0), 12), (ALIKE, 12), (Average(above=0.0, of="median"), 5)):
        few = paired([9.0] * (fewest - 1), [0.0] * (fewest - 1), rule)
        assert contrast(few, rule, ALPHA) == Difference(UNTRIGGERED, None, None, None, 0.0, fewest - 1)
    assert contrast([], SHARE, ALPHA) == Difference(UNTRIGGERED, None, None, None, SHARE_MARGIN, 0)


def test_a_bound_that_so_few_pairs_do_not_allow_is_none() -> None:
    rule = Average(above=0.0, of="median")
    found = contrast(paired([2.0] * 5, [1.0] * 5, rule), rule, 0.02)
    assert (found.estimate, found.low, found.high, found.outcome) == (1.0, None, None, UNDECIDED)


def test_no_difference_at_all_is_surely_too_small() -> None:
    same = [0.1, 0.5, 0.7] * 5
    for rule in (Average(above=0.0), Average(below=1.0, worth=0.1), ALIKE):
        assert contrast(paired(same, same, rule), rule, ALPHA).outcome is FAILS


def test_an_average_in_the_middle_is_nearer_to_it_though_its_effects_are_not() -> None:
    """Regression: effects that spread around it seemed no nearer to it than a control surely beyond a limit."""
    generator = np.random.default_rng(0)
    claims, controls = generator.normal(0.0, 5.0, 256), generator.normal(2.5, 0.1, 256)
    assert np.abs(claims).mean() > np.abs(controls).mean()
    assert contrast(paired(claims, controls, ALIKE), ALIKE, ALPHA).outcome is HOLDS
    assert contrast(paired(claims, -controls, ALIKE), ALIKE, ALPHA).outcome is HOLDS
    assert contrast(paired(controls, claims, ALIKE), ALIKE, ALPHA).outcome is FAILS


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("middle", [0.0, 1.0, -1.0, 40.0])
def test_nearer_is_meant_of_the_limits_middle(middle: float, side: float) -> None:
    """Two of the rules have a limit at 0."""
    rule = Average(at_least=middle - 1.0, below=middle + 1.0)
    claims, controls = np.linspace(-0.5, 0.5, 40) + middle, side * np.linspace(2.0, 3.0, 40) + middle
    found = contrast(paired(claims, controls, rule), rule, ALPHA)
    assert found.estimate == pytest.approx(2.5)
    assert found.outcome is HOLDS


EQUALLY_FAR = [
    ((0.0, 1.0), (0.0, 1.0)),
    ((0.0, 0.1), (0.0, 1.0)),
    ((0.5, 1.0), (0.5, 1.0)),
    ((0.5, 0.1), (-0.5, 1.0)),
]


@pytest.mark.parametrize(("claim", "control"), EQUALLY_FAR)
def test_averages_equally_far_from_the_middle_are_told_apart_in_at_most_one_of_twenty(
    claim: tuple[float, float], control: tuple[float, float]
) -> None:
    """Normal effects by mean and spread; the widest spread of the control is the hardest."""
    generator, rounds = np.random.default_rng(4), 1_000
    made = [
        contrast(paired(generator.normal(*claim, 48), generator.normal(*control, 48), ALIKE), ALIKE, ALPHA).outcome
        for _ in range(rounds)
    ]
    most = 0.05 + 3 * math.sqrt(0.05 * 0.95 / rounds)
    assert made.count(HOLDS) / rounds <= most
    assert made.count(FAILS) / rounds <= most


def test_an_excess_that_is_not_worth_a_claim_is_none_however_sure_it_is() -> None:
    """Surely above 0, its estimate below what is worth a claim: open with few pairs, and too small with many."""
    rule = Average(above=0.0, worth=0.5)
    few = [Pair(0.4 + sign, 0.0, claim_held=True, control_held=False) for sign in (1.0, -1.0) * 40]
    assert contrast(few, rule, 0.02).outcome is UNDECIDED
    assert contrast(few * 10, rule, 0.02).outcome is FAILS
    assert contrast([replace(pair, claim=pair.claim + 0.2) for pair in few], rule, 0.02).outcome is HOLDS


@pytest.mark.parametrize("middle", [0.0, 1.0, -1.0, 40.0])
def test_a_control_must_be_twice_as_far_from_the_middle_as_the_limits(middle: float) -> None:
    rule = Average(at_least=middle - 1.0, at_most=middle + 1.0)
    claims = np.linspace(-0.5, 0.5, 40) + middle
    for away, expected in ((2.0, HOLDS), (-2.0, HOLDS), (1.875, UNDECIDED), (-1.875, UNDECIDED)):
        assert contrast(paired(claims, np.full(40, middle + away), rule), rule, ALPHA).outcome is expected


def test_each_of_two_comparisons_with_the_middle_has_half_of_the_error() -> None:
    """A claim just in the middle: how much further its control lies is the control's own mean."""
    controls = np.linspace(2.0, 3.0, 40)
    found = contrast(paired(np.zeros(40), controls, ALIKE), ALIKE, ALPHA)
    interval = mean_interval(controls, ALPHA / 2)
    assert figures(found) == (interval.estimate, interval.low, interval.high)


def test_a_bound_at_nothing_is_no_excess_and_an_estimate_of_just_what_is_worth_a_claim_is_one() -> None:
    median = Average(above=0.0, of="median")
    zeros = contrast(paired([0.0] * 15 + [1.0] * 25, [0.0] * 40, median), median, ALPHA)
    assert (zeros.low, zeros.high, zeros.outcome) == (0.0, 1.0, UNDECIDED)
    worth = Average(above=0.0, worth=0.5)
    assert contrast(paired([0.25, 0.75] * 20, [0.0] * 40, worth), worth, ALPHA).outcome is HOLDS
