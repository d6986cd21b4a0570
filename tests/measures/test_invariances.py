"""What may change about a run without changing a measure of it, as far as the mathematics promises it.

o: tested here. e: tested in the file of the measure's module. Empty: the mathematics promises nothing of the kind.

| measure | order | unit | sign | turned | repeated | other |
| --- | --- | --- | --- | --- | --- | --- |
| growth | | o | o | | | o: the factors of a stretch multiply to its whole growth |
| rate_error | o | o | | | o | o: over and under by one factor are alike |
| displacement_r2 | | o | | | | e: a free offset |
| sign_agreement | o | o | | | o | |
| turning_point | | o | o | | | o: reversed in time |
| ascent | | o | | | | o: what comes after the peak |
| balanced_agreement | o | | | | o | o: the complement; scikit-learn |
| cosines | o | o | o | o | | o: symmetric, 1 with itself |
| alignment | e | e | e | e | o: by the closed form | |
| effective_ratio | | e | | e | o: by the closed form | it is greedy, so the order may matter |
| random_alignment | | | | | | o: recursion, and neurons drawn at random |
| gaussian_low, low_ratio(s), part_errors | e | e | o | e: inputs; o: outputs | o | |
| spectrum, low_modes, centroid | | e | o | | | o: mirrored; on a finer grid |
| principal_coordinate | e | e | e | o: up to its direction | o | |
| scattered_spectrum, scattered_low_share | e | e | o | o: outputs | o | e: shifted |
| spearman | o | e | e | | o | e: scipy |
| partial_spearman | o | o | o | | o | o: the formula by three plain correlations |
| concordance | o | o | o | | o | o: pair by pair |
| crossing, fall | | o | | | | o: step by step, what comes later |
| steps_to_flat | | o | | | | e: step by step |
| spikes, first_onset | | e | | | | o: what comes after a recovery |
"""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ortho_group, spearmanr
from sklearn.metrics import balanced_accuracy_score  # type: ignore[import-untyped]

from spikecheck.core.spike import SpikeDefinition
from spikecheck.measures import (
    alignment,
    ascent,
    balanced_agreement,
    centroid,
    concordance,
    cosines,
    crossing,
    displacement_r2,
    effective_ratio,
    fall,
    gaussian_low,
    growth,
    low_modes,
    low_ratio,
    part_errors,
    partial_spearman,
    principal_coordinate,
    random_alignment,
    rate_error,
    scattered_low_share,
    scattered_spectrum,
    sign_agreement,
    spearman,
    spectrum,
    spikes,
    steps_to_flat,
    turning_point,
)

SEEDS = st.integers(0, 10_000)
TIMES = st.integers(2, 4)
POWERS = st.integers(-8, 8)
"""Of two: a change of unit that rounds nothing."""
LR = 0.1


def rng_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


# ---- the ascent ------------------------------------------------------------------------------------------------------


def ascending(seed: int, steps: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Factors of growth and sharpnesses as a real ascent has them: near the rate, and on both sides of the threshold."""
    rng = rng_of(seed)
    sharpness = rng.uniform(14.0, 26.0, steps)
    return np.abs(1.0 - LR * sharpness) * np.exp(rng.normal(0.0, 0.1, steps)), sharpness


@given(SEEDS, POWERS)
def test_growth_has_no_unit_and_no_sign_and_multiplies(seed: int, power: int) -> None:
    swing = rng_of(seed).normal(size=20)
    factors = growth(swing[:-1], swing[1:])
    np.testing.assert_array_equal(growth(np.ldexp(swing[:-1], power), np.ldexp(swing[1:], power)), factors)
    signs = rng_of(seed + 1).choice([-1.0, 1.0], 20)
    np.testing.assert_array_equal(growth((signs * swing)[:-1], (signs * swing)[1:]), factors)
    assert np.prod(factors) == pytest.approx(abs(swing[-1] / swing[0]), rel=1e-9)


@given(SEEDS, POWERS, TIMES)
def test_the_rate_is_one_of_steps_whatever_their_order_and_unit(seed: int, power: int, times: int) -> None:
    factors, sharpness = ascending(seed)
    order = rng_of(seed).permutation(len(factors))
    for measure in (rate_error, sign_agreement):
        expected = pytest.approx(measure(factors, sharpness, LR))
        assert measure(factors[order], sharpness[order], LR) == expected
        assert measure(factors, np.ldexp(sharpness, power), math.ldexp(LR, -power)) == expected
    share, counted = sign_agreement(factors, sharpness, LR)
    many, curved = np.repeat(factors, times), np.repeat(sharpness, times)
    assert sign_agreement(many, curved, LR) == pytest.approx((share, times * counted))
    assert rate_error(many, curved, LR) == pytest.approx(rate_error(factors, sharpness, LR))


@given(SEEDS, POWERS)
def test_r2_has_no_unit(seed: int, power: int) -> None:
    factors, sharpness = ascending(seed)
    expected = displacement_r2(factors, sharpness, LR)
    assert displacement_r2(factors, np.ldexp(sharpness, power), math.ldexp(LR, -power)) == pytest.approx(expected)
    assert expected <= 1.0


@given(SEEDS)
def test_a_growth_too_large_errs_as_much_as_one_too_small_by_the_same_factor(seed: int) -> None:
    factors, sharpness = ascending(seed)
    exact = np.abs(1.0 - LR * sharpness)
    assert rate_error(exact**2 / factors, sharpness, LR) == pytest.approx(rate_error(factors, sharpness, LR))


@given(SEEDS, POWERS, st.sampled_from([1, 3, 11]))
def test_a_turn_has_no_unit_no_sign_and_no_direction_of_time(seed: int, power: int, smoothing: int) -> None:
    rng, steps = rng_of(seed), np.arange(80)
    swing = np.exp(np.abs(steps - rng.integers(5, 75)) / 10 + rng.normal(0.0, 0.2, 80))
    turn = turning_point(swing, smoothing)
    assert turning_point(np.ldexp(swing * rng.choice([-1.0, 1.0], 80), power), smoothing) == turn
    backwards = turning_point(swing[::-1], smoothing)
    # Two neighbouring windows often have one median, of which the first counts; at an end there is no turn.
    last = len(swing) - 1
    if turn is not None and backwards is not None:
        assert abs(backwards - (last - turn)) < smoothing
    elif (seen := turn if backwards is None else backwards) is not None:
        assert min(seen, last - seen) < smoothing


@given(SEEDS, POWERS, st.integers(0, 39), st.integers(0, 39))
def test_the_ascent_has_no_unit_and_does_not_see_what_comes_after_its_peak(
    seed: int, power: int, onset: int, peak: int
) -> None:
    sharpness = rng_of(seed).uniform(10.0, 30.0, 40)
    there = ascent(sharpness, 20.0, onset, peak)
    assert ascent(np.ldexp(sharpness, power), math.ldexp(20.0, power), onset, peak) == there
    assert ascent(sharpness[: max(onset, peak) + 1], 20.0, onset, peak) == there
    assert there is None or (there.start < there.stop == peak and there.start <= onset)


@given(
    arrays(bool, st.shared(st.integers(2, 30), key="steps")), arrays(bool, st.shared(st.integers(2, 30), key="steps"))
)
def test_balanced_agreement_is_scikit_learns_and_sees_neither_order_nor_repetition(
    says: np.ndarray, happens: np.ndarray
) -> None:
    assume(happens.any() and not happens.all())
    agreement = balanced_agreement(says, happens, fewest=1)
    assert agreement == pytest.approx(balanced_accuracy_score(happens, says))
    order = rng_of(len(says)).permutation(len(says))
    assert balanced_agreement(says[order], happens[order], fewest=1) == pytest.approx(agreement)
    assert balanced_agreement(np.tile(says, 3), np.tile(happens, 3), fewest=3) == pytest.approx(agreement)
    assert balanced_agreement(~says, ~happens, fewest=1) == pytest.approx(agreement)
    assert balanced_agreement(~says, happens, fewest=1) == pytest.approx(1.0 - agreement)
    rarer = int(min(happens.sum(), (~happens).sum()))
    assert not math.isnan(balanced_agreement(says, happens, fewest=rarer))
    assert math.isnan(balanced_agreement(says, happens, fewest=rarer + 1))


# ---- condensation ----------------------------------------------------------------------------------------------------


@given(SEEDS, st.integers(1, 8))
def test_cosines_turn_with_nothing_and_flip_with_their_neurons(seed: int, width: int) -> None:
    rng = rng_of(seed)
    weights, signs, order = rng.normal(size=(width, 3)), rng.choice([-1.0, 1.0], width), rng.permutation(width)
    between = cosines(weights)
    np.testing.assert_allclose(np.diag(between), 1.0)
    np.testing.assert_array_equal(between, between.T)
    moved = (weights * (signs * rng.uniform(0.1, 9.0, width))[:, None]) @ ortho_group.rvs(3, random_state=seed)
    np.testing.assert_allclose(cosines(moved), np.outer(signs, signs) * between, atol=1e-12)
    np.testing.assert_allclose(cosines(weights[order]), between[np.ix_(order, order)], atol=1e-12)


@given(SEEDS, st.integers(2, 10), TIMES)
def test_repeated_neurons_raise_the_alignment_and_lower_the_ratio_as_counting_says(
    seed: int, width: int, times: int
) -> None:
    """Of the n W (n W - 1) pairs of neurons of which each is there n times, W n (n - 1) are pairs of copies."""
    weights = rng_of(seed).normal(size=(width, 3))
    pairs, copies = times * width * (times * width - 1), width * times * (times - 1)
    many = np.repeat(weights, times, axis=0)
    expected = (copies + (pairs - copies) * alignment(weights)) / pairs
    assert alignment(many) == pytest.approx(expected)
    assert effective_ratio(many) == pytest.approx(effective_ratio(weights) / times)


@given(st.integers(1, 300))
def test_the_alignments_of_neighbouring_dimensions_multiply_to_two_over_pi_d(dimensions: int) -> None:
    """From Gamma(z + 1) = z Gamma(z)."""
    product = random_alignment(dimensions) * random_alignment(dimensions + 1)
    assert product == pytest.approx(2.0 / (math.pi * dimensions))


@pytest.mark.parametrize("dimensions", [1, 2, 5, 21])
def test_neurons_drawn_at_random_have_the_random_alignment(dimensions: int) -> None:
    """Of 500 neurons, to within five standard errors of the mean over 250 pairs that share no neuron, at most."""
    weights = rng_of(dimensions).normal(size=(500, dimensions))
    assert alignment(weights) == pytest.approx(random_alignment(dimensions), abs=5 * 0.31 / math.sqrt(250))


# ---- frequencies -----------------------------------------------------------------------------------------------------

DELTA = 0.3


def scattered(seed: int, outputs: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs in the plane, a target, and a fit to it."""
    rng = rng_of(seed)
    x = rng.uniform(-2.0, 2.0, (15, 2))
    y = np.sin(3 * x @ rng.normal(size=(2, outputs)))
    return x, y, y + rng.normal(0.0, 0.3, y.shape)


@given(SEEDS, TIMES)
def test_data_that_are_there_several_times_have_the_same_frequencies(seed: int, times: int) -> None:
    x, y, h = scattered(seed)
    many_x, many_y, many_h = (np.tile(values, (times, 1)) for values in (x, y, h))
    np.testing.assert_allclose(gaussian_low(many_x, many_y, DELTA)[:15], gaussian_low(x, y, DELTA), atol=1e-12)
    assert low_ratio(many_x, many_y, DELTA) == pytest.approx(low_ratio(x, y, DELTA))
    assert part_errors(many_x, many_y, many_h, DELTA) == pytest.approx(part_errors(x, y, h, DELTA))
    t = principal_coordinate(x)
    np.testing.assert_allclose(principal_coordinate(many_x)[:15], t, atol=1e-9)
    np.testing.assert_allclose(
        scattered_spectrum(np.tile(t, times), many_y, 6), scattered_spectrum(t, y, 6), atol=1e-12
    )
    share = scattered_low_share(t, y, 2, 6)
    assert scattered_low_share(np.tile(t, times), many_y, 2, 6) == pytest.approx(share)


@given(SEEDS, st.integers(2, 4))
def test_turned_outputs_and_flipped_ones_have_the_same_energies(seed: int, outputs: int) -> None:
    x, y, h = scattered(seed, outputs)
    turn, t = ortho_group.rvs(outputs, random_state=seed), principal_coordinate(x)
    for by in (turn, -np.eye(outputs)):
        assert low_ratio(x, y @ by, DELTA) == pytest.approx(low_ratio(x, y, DELTA))
        assert part_errors(x, y @ by, h @ by, DELTA) == pytest.approx(part_errors(x, y, h, DELTA))
        np.testing.assert_allclose(scattered_spectrum(t, y @ by, 6), scattered_spectrum(t, y, 6), atol=1e-12)
        assert scattered_low_share(t, y @ by, 2, 6) == pytest.approx(scattered_low_share(t, y, 2, 6))
    np.testing.assert_allclose(gaussian_low(x, -y, DELTA), -gaussian_low(x, y, DELTA), atol=1e-12)


@given(SEEDS)
def test_the_principal_coordinate_turns_with_the_inputs_up_to_its_direction(seed: int) -> None:
    x = rng_of(seed).uniform(size=(20, 3)) * [5.0, 1.0, 0.2]
    along, turned = principal_coordinate(x), principal_coordinate(x @ ortho_group.rvs(3, random_state=seed))
    assert min(np.abs(turned - along).max(), np.abs(turned - (1.0 - along)).max()) < 1e-9


@given(arrays(np.float64, 16, elements=st.floats(-1e3, 1e3)))
def test_a_function_and_its_mirror_image_and_its_negative_have_one_spectrum(values: np.ndarray) -> None:
    assume(np.abs(values).max() > 1e-3)
    for other in (values[::-1], -values):
        np.testing.assert_allclose(spectrum(other), spectrum(values), atol=1e-9)
        assert centroid(other) == pytest.approx(centroid(values), abs=1e-6)
        assert low_modes(other, 5) == pytest.approx(low_modes(values, 5), abs=1e-9)


@given(SEEDS, st.integers(2, 5))
def test_a_finer_grid_changes_nothing_that_the_coarse_one_resolves(seed: int, finer: int) -> None:
    """A sum of cosines below the coarse grid's highest mode; in such a basis sampled energies are the function's."""
    amplitudes = rng_of(seed).normal(size=12)

    def sampled(cells: int) -> np.ndarray:
        at = (np.arange(cells) + 0.5) / cells
        values: np.ndarray = np.cos(np.pi * np.outer(at, np.arange(12))) @ amplitudes
        return values

    coarse, fine = sampled(16), sampled(16 * finer)
    np.testing.assert_allclose(spectrum(fine)[:16], spectrum(coarse), atol=1e-12)
    assert centroid(fine) == pytest.approx(centroid(coarse))
    assert low_modes(fine, 4) == pytest.approx(low_modes(coarse, 4))


# ---- ranks -----------------------------------------------------------------------------------------------------------

SERIES = st.integers(3, 15).flatmap(
    lambda length: st.tuples(*[arrays(np.float64, length, elements=st.integers(-4, 4).map(float)) for _ in range(3)])
)
Three = tuple[np.ndarray, np.ndarray, np.ndarray]


@given(SERIES)
def test_the_partial_correlation_is_the_formula_of_three_plain_ones(series: Three) -> None:
    a, b, given_ = series
    assume(all(np.ptp(one) > 0 for one in series))
    ab, ac, bc = (float(spearmanr(*two).statistic) for two in ((a, b), (a, given_), (b, given_)))
    assume(max(abs(ac), abs(bc)) < 1.0 - 1e-9)
    expected = (ab - ac * bc) / math.sqrt((1.0 - ac**2) * (1.0 - bc**2))
    assert partial_spearman(a, b, given_) == pytest.approx(expected, abs=1e-6)


@given(SERIES)
def test_ranks_see_neither_units_nor_the_order_of_pairs_nor_repetition(series: Three) -> None:
    a, b, given_ = series
    order = rng_of(len(a)).permutation(len(a))
    plain, partial = spearman(a, b), partial_spearman(a, b, given_)
    assert spearman(a[order], b[order]) == pytest.approx(plain, abs=1e-9)
    assert spearman(np.tile(a, 3), np.tile(b, 3)) == pytest.approx(plain, abs=1e-9)
    assert partial_spearman(a[order], b[order], given_[order]) == pytest.approx(partial, abs=1e-9)
    assert partial_spearman(np.tile(a, 3), np.tile(b, 3), np.tile(given_, 3)) == pytest.approx(partial, abs=1e-9)
    assert partial_spearman(np.exp(a), 2 * b, given_**3) == pytest.approx(partial, abs=1e-9)
    assert partial_spearman(-a, b, given_) == pytest.approx(-partial, abs=1e-9)
    assert partial_spearman(a, b, -given_) == pytest.approx(partial, abs=1e-9)
    assert partial_spearman(b, a, given_) == pytest.approx(partial, abs=1e-9)


def pair_by_pair(predictor: np.ndarray, outcome: np.ndarray, apart: float) -> float:
    """The definition."""
    pairs = [(i, j) for i, one in enumerate(outcome) for j, other in enumerate(outcome) if one < other]
    far = [(i, j) for i, j in pairs if math.log(outcome[j] / outcome[i]) >= math.log(apart)]
    counted = [0.5 + 0.5 * np.sign(predictor[j] - predictor[i]) for i, j in far]
    return float(np.mean(counted)) if counted else float("nan")


@given(SERIES, st.sampled_from([1.5, 2.5, 20.0]), POWERS)
def test_concordance_is_the_mean_over_pairs_and_sees_order_only(series: Three, apart: float, power: int) -> None:
    predictor, outcome = series[0], np.exp2(series[1])
    share = concordance(predictor, outcome, apart)
    expected = pytest.approx(share, nan_ok=True)
    assert pair_by_pair(predictor, outcome, apart) == expected
    order = rng_of(len(predictor)).permutation(len(predictor))
    assert concordance(predictor[order], outcome[order], apart) == expected
    assert concordance(np.tile(predictor, 3), np.tile(outcome, 3), apart) == expected
    assert concordance(np.exp(predictor), np.ldexp(outcome, power), apart) == expected
    assert concordance(-predictor, outcome, apart) == pytest.approx(1.0 - share, nan_ok=True)
    assert concordance(predictor, 1.0 / outcome, apart) == pytest.approx(1.0 - share, nan_ok=True)


# ---- thresholds and spikes -------------------------------------------------------------------------------------------

TRACES = arrays(np.float64, st.integers(2, 30), elements=st.integers(0, 8).map(float))


def first_fall(sharpness: np.ndarray, threshold: float) -> int | None:
    """The definition, step by step."""
    means = [(one + other) / 2 for one, other in pairwise(sharpness)]
    if not means[0] > threshold:
        return None
    return next((step + 1 for step, mean in enumerate(means) if not mean > threshold), None)


@given(TRACES, st.floats(0.5, 8.0), POWERS)
def test_a_fall_is_the_first_and_thresholds_have_no_unit(sharpness: np.ndarray, threshold: float, power: int) -> None:
    there = fall(sharpness, threshold)
    assert there == first_fall(sharpness, threshold)
    other, limit = np.ldexp(sharpness, power), math.ldexp(threshold, power)
    assert fall(other, limit) == there
    assert crossing(other, limit, until=20) == crossing(sharpness, threshold, until=20)
    assert steps_to_flat(sharpness, other, limit) == steps_to_flat(sharpness, sharpness, threshold)
    if there is not None:
        assert fall(np.append(sharpness[: there + 1], [9.0, 9.0]), threshold) == there


LOSSES = st.lists(st.sampled_from([1.0, 2.0, 8.0, 300.0]), min_size=1, max_size=40).map(np.array)
"""Few values, so that spikes and recoveries are common."""
LATER = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=20).map(np.array)


@given(LOSSES, LATER, st.floats(1.1, 5.0), st.integers(1, 6))
def test_what_comes_after_a_recovery_changes_no_spike(
    loss: np.ndarray, later: np.ndarray, factor: float, settle: int
) -> None:
    definition = SpikeDefinition(factor=factor, settle=settle)
    loss = np.concatenate([[1.0, 300.0], np.full(settle, 1.0), loss])  # one spike at least has recovered
    recovered = [spike for spike in spikes(loss, definition) if spike.recovery is not None]
    assert recovered
    assert list(spikes(np.concatenate([loss, later]), definition))[: len(recovered)] == recovered


@pytest.mark.parametrize(("measure", "expected"), [(rate_error, 0.0), (displacement_r2, 1.0)])
def test_an_exact_ascent_stays_exact_in_any_unit(
    measure: Callable[[np.ndarray, np.ndarray, float], float], expected: float
) -> None:
    sharpness = np.linspace(21.0, 29.0, 40)
    for power in (-300, 300):
        unit = 2.0**power
        assert measure(np.abs(1.0 - LR * sharpness), sharpness * unit, LR / unit) == pytest.approx(expected, abs=1e-9)
