"""Frequencies of known signals: closed forms, plain sums, invariances, and input at the edge of what makes sense."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spikecheck.core.errors import SettingError
from spikecheck.measures import (
    centroid,
    gaussian_low,
    low_modes,
    low_ratio,
    low_ratios,
    part_errors,
    principal_coordinate,
    scattered_low_share,
    scattered_spectrum,
    spectrum,
)

CELLS = (np.arange(256) + 0.5) / 256
VALUES = hnp.arrays(np.float64, 16, elements=st.floats(-1e3, 1e3))
POINTS = hnp.arrays(np.float64, (8, 2), elements=st.floats(-10, 10))
DISTINCT = st.lists(st.integers(-20, 20), min_size=2, max_size=8, unique=True).map(lambda at: np.array(at, float))
LEVELS = st.integers(-1_000_000, 1_000_000).map(lambda tenths: tenths / 10)  # few of them exact, none subnormal
# From subnormal squares to squares that overflow.
POWERS = st.integers(-1_000, 1_000)


# ---- the Gaussian filter ---------------------------------------------------------------------------------------------


def test_far_from_the_border_a_wave_is_damped_as_the_closed_form_says() -> None:
    x = np.linspace(-30, 30, 3001)
    inside = np.abs(x) < 10
    for wave, delta in ((1.0, 0.5), (3.0, 0.2), (0.5, 4.0)):
        y = np.cos(wave * x)
        expected = np.exp(-delta * wave**2 / 2) * y
        np.testing.assert_allclose(gaussian_low(x, y, delta)[inside], expected[inside], atol=1e-9)


def test_in_the_plane_the_damping_follows_the_length_of_the_wave_vector() -> None:
    axis, wave, delta = np.linspace(-6, 6, 49), np.array([1.0, 2.0]), 0.3
    x = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    inside = np.abs(x).max(axis=1) < 2
    y = np.stack([np.cos(x @ wave), np.sin(x @ wave)], axis=1)
    expected = np.exp(-delta * (wave @ wave) / 2) * y
    np.testing.assert_allclose(gaussian_low(x, y, delta)[inside], expected[inside], atol=1e-9)


@given(POINTS, hnp.arrays(np.float64, (8, 3), elements=st.floats(-10, 10)), st.floats(0.01, 100))
def test_the_filter_is_the_double_sum(x: np.ndarray, y: np.ndarray, delta: float) -> None:
    expected = np.zeros_like(y)
    for i in range(len(x)):
        weights = [np.exp(-np.sum((x[i] - x[j]) ** 2) / (2 * delta)) for j in range(len(x))]
        expected[i] = sum(w * y[j] for j, w in enumerate(weights)) / sum(weights)
    np.testing.assert_allclose(gaussian_low(x, y, delta), expected, atol=1e-9)


@given(POINTS, st.permutations(range(8)), st.floats(-5, 5), st.floats(0, 6.3))
def test_the_filter_sees_distances_only(x: np.ndarray, order: list[int], shift: float, angle: float) -> None:
    y = np.arange(8.0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    low = gaussian_low(x, y, 2.0)
    np.testing.assert_allclose(gaussian_low(x @ turn + shift, y, 2.0), low, atol=1e-8)
    np.testing.assert_allclose(gaussian_low(x[order], y[order], 2.0), low[order], atol=1e-12)


@given(DISTINCT, st.data(), st.floats(-3, 6))
def test_the_filter_lies_between_y_and_its_mean(x: np.ndarray, data: st.DataObject, log_delta: float) -> None:
    y = data.draw(hnp.arrays(np.float64, len(x), elements=st.floats(-10, 10)))
    delta = 10**log_delta
    low = gaussian_low(x, y, delta)
    # Both bounds fall to 0 in their limit: the other points weigh next to nothing, or all weigh alike.
    nearest, farthest = np.diff(np.sort(x)).min(), np.ptp(x)
    others = (len(x) - 1) * math.exp(-(nearest**2) / (2 * delta))
    assert np.abs(low - y).max() <= np.ptp(y) * others + 1e-12
    unequal = -math.expm1(-(farthest**2) / (2 * delta))
    assert np.abs(low - y.mean()).max() <= np.ptp(y) * unequal + 1e-12


@pytest.mark.parametrize("delta", [5e-324, 1e-310, np.float64(1e-310)])
def test_the_tiniest_variance_leaves_y_as_it_is(delta: float) -> None:
    x, y = np.linspace(0, 1, 9), np.random.default_rng(0).normal(size=9)
    assert gaussian_low(x, y, delta).tolist() == y.tolist()


@pytest.mark.parametrize("delta", [1e300, np.float64(1.7e308), float("inf")])
def test_the_largest_variance_leaves_the_mean(delta: float) -> None:
    x, y = np.linspace(0, 1, 9), np.random.default_rng(0).normal(size=9)
    np.testing.assert_allclose(gaussian_low(x, y, delta), y.mean(), rtol=1e-12)


@given(POINTS, LEVELS, st.floats(1e-3, 1e3))
def test_a_constant_is_all_low(x: np.ndarray, level: float, delta: float) -> None:
    y = np.full(8, level)
    np.testing.assert_allclose(gaussian_low(x, y, delta), y, rtol=1e-14)
    assert low_ratio(x, y, delta) == pytest.approx(1.0 if level else 0.0)


def test_a_column_is_a_list_of_numbers() -> None:
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=30), rng.normal(size=(30, 3))
    low = gaussian_low(x, y, 0.3)
    np.testing.assert_array_equal(gaussian_low(x[:, None], y, 0.3), low)
    np.testing.assert_allclose(np.stack([gaussian_low(x, column, 0.3) for column in y.T], axis=1), low, rtol=1e-12)
    assert low_ratio(x, y, 0.3) == pytest.approx(np.square(low).sum() / np.square(y).sum(), rel=1e-12)


def test_points_that_coincide_share_their_mean() -> None:
    x, y = np.array([0.0, 5.0, 0.0, 0.0]), np.array([1.0, 7.0, 2.0, 6.0])
    np.testing.assert_allclose(gaussian_low(x, y, 1e-3), [3.0, 7.0, 3.0, 3.0], rtol=1e-14)


def test_no_points_have_no_energy() -> None:
    assert low_ratio(np.zeros(0), np.zeros(0), 0.1) == 0.0
    assert part_errors(np.zeros(0), np.zeros(0), np.zeros(0), 0.1) == (0.0, 0.0)


def test_one_point_is_all_low() -> None:
    x, y = np.array([2.0]), np.array([3.0])
    assert gaussian_low(x, y, 0.1).tolist() == [3.0]
    assert low_ratio(x, y, 0.1) == 1.0
    assert part_errors(x, y, np.array([6.0]), 0.1) == (1.0, 0.0)


def test_shuffled_inputs_have_little_low_frequency() -> None:
    x = np.linspace(-np.pi, np.pi, 200)
    y = np.sin(x)
    shuffled = np.random.default_rng(1).permutation(y)
    assert low_ratio(x, y, 0.05) > 0.9
    assert low_ratio(x, shuffled, 0.05) < 0.2


@given(st.floats(0.1, 1e3) | st.floats(-1e3, -0.1), POWERS)
def test_ratios_do_not_depend_on_the_scale(scale: float, power: int) -> None:
    x = np.linspace(0, 5, 20)
    y, h = np.sin(3 * x), np.cos(x)
    scaled, fit = np.ldexp(scale * y, power), np.ldexp(scale * h, power)
    assert low_ratio(x, scaled, 0.1) == pytest.approx(low_ratio(x, y, 0.1))
    assert part_errors(x, scaled, fit, 0.1) == pytest.approx(part_errors(x, y, h, 0.1))
    assert scattered_low_share(x / 5, scaled, 2, 9) == pytest.approx(scattered_low_share(x / 5, y, 2, 9))


@given(POINTS, hnp.arrays(np.float64, 8, elements=st.floats(-10, 10)), st.floats(0.01, 100))
def test_ratios_do_not_depend_on_the_order(x: np.ndarray, y: np.ndarray, delta: float) -> None:
    order = np.random.default_rng(9).permutation(8)
    ratio = low_ratio(x, y, delta)
    assert low_ratio(x[order], y[order], delta) == pytest.approx(ratio, abs=1e-12)
    assert 0.0 <= ratio <= 8.0  # of 8 averages, none is larger than the largest value


def test_a_border_can_give_a_little_more_energy_than_there_was() -> None:
    # the lone point weighs on its two neighbours more than they, together, are weighed down by the others
    x, y = np.array([-1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    others = math.exp(-0.5)
    expected = 1 / (1 + 2 * others) ** 2 + 2 * (others / (1 + others + math.exp(-2))) ** 2
    assert low_ratio(x, y, 1.0) == pytest.approx(expected)


def test_several_widths_are_each_by_itself() -> None:
    x = np.linspace(0, 5, 20)
    y = np.sin(3 * x)
    np.testing.assert_allclose(low_ratios(x, y, [0.1, 1.0]), [low_ratio(x, y, 0.1), low_ratio(x, y, 1.0)])
    assert low_ratio(x, np.zeros(20), 0.1) == 0.0


@pytest.mark.parametrize("delta", [0.0, -1.0, float("nan")])
@pytest.mark.parametrize(
    "measure",
    [
        lambda x, delta: gaussian_low(x, x, delta),
        lambda x, delta: low_ratio(x, x, delta),
        lambda x, delta: low_ratios(x, x, [1.0, delta]),
        lambda x, delta: part_errors(x, x, x, delta),
    ],
)
def test_a_variance_must_be_above_0(measure: Callable[[np.ndarray, float], object], delta: float) -> None:
    with pytest.raises(SettingError, match=f"^delta={delta!r}: is the filter's variance; give a number above 0$"):
        measure(np.zeros(3), delta)


def test_errors_by_part() -> None:
    x = np.linspace(-np.pi, np.pi, 300)
    slow, fast = np.sin(x), np.sin(20 * x)
    low, high = part_errors(x, slow + fast, slow, 0.02)
    assert low < 0.1 and high > 0.9
    assert part_errors(x, slow, slow, 0.02) == (0.0, 0.0)
    assert part_errors(x, np.zeros(300), slow, 0.02) == (float("inf"), float("inf"))
    assert part_errors(x, np.zeros(300), np.zeros(300), 0.02) == (0.0, 0.0)


def test_errors_are_ratios_of_norms() -> None:
    rng = np.random.default_rng(10)
    x, y, h = rng.normal(size=(30, 2)), rng.normal(size=(30, 3)), rng.normal(size=(30, 3))
    y_low, h_low = gaussian_low(x, y, 0.4), gaussian_low(x, h, 0.4)
    low = np.linalg.norm(y_low - h_low) / np.linalg.norm(y_low)
    high = np.linalg.norm(y - y_low - (h - h_low)) / np.linalg.norm(y - y_low)
    assert part_errors(x, y, h, 0.4) == pytest.approx((low, high), rel=1e-12)


@given(POINTS, LEVELS, LEVELS, st.floats(1e-3, 1e3))
def test_constants_have_no_high_part_to_fit(x: np.ndarray, level: float, fit: float, delta: float) -> None:
    assert part_errors(x, np.full(8, level), np.full(8, fit), delta)[1] == 0.0


def test_what_averages_to_0_has_no_low_part_to_fit() -> None:
    x, y = np.arange(3.0), np.array([0.1, 0.2, -0.3])
    assert gaussian_low(x, y, math.inf).any()  # rounding errors, which are no low part
    low, high = part_errors(x, y, 2 * y, math.inf)
    assert low == 0.0 and high == pytest.approx(1.0)


def test_a_high_part_where_there_is_none_is_infinitely_wrong() -> None:
    x = np.linspace(0, 1, 50)
    assert part_errors(x, np.full(50, 0.1), 0.1 + 1e-9 * np.sin(40 * x), 0.01)[1] == math.inf


# ---- the cosine transform --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0, 1, 7, 255])
def test_a_cosine_is_one_mode(mode: int) -> None:
    values = 3 * np.cos(np.pi * mode * CELLS)
    assert spectrum(values)[mode] == pytest.approx(1.0)
    assert centroid(values) == pytest.approx(mode, abs=1e-9)
    assert low_modes(values, mode + 1) == pytest.approx(1.0)
    assert low_modes(values, mode) == pytest.approx(0.0, abs=1e-12)


@given(VALUES, POWERS)
def test_shares_sum_to_one_and_do_not_depend_on_the_scale(values: np.ndarray, power: int) -> None:
    assume(np.abs(values).max() > 1e-3)
    assert spectrum(values).sum() == pytest.approx(1.0)
    np.testing.assert_allclose(spectrum(np.ldexp(values, power)), spectrum(values), atol=1e-9)
    assert 0.0 <= centroid(values) <= 15.0
    assert low_modes(values, -1) == 0.0
    shares = [low_modes(values, modes) for modes in range(18)]
    assert np.diff(shares).min() >= -1e-12 and shares[0] == 0.0 and max(shares) <= 1.0
    assert shares[16] == shares[17] == pytest.approx(1.0)


def test_rounding_takes_no_figure_out_of_its_range() -> None:
    for seed in range(200):
        values = np.random.default_rng(seed).normal(size=40)
        assert low_modes(values, 40) <= 1.0
        assert scattered_low_share(np.linspace(0, 1, 40), values, 40, 40) <= 1.0
    for cells in range(1, 200):
        highest = np.cos(np.pi * (cells - 1) * (np.arange(cells) + 0.5) / cells)
        assert centroid(highest) <= cells - 1


@given(VALUES)
def test_the_energy_of_the_plain_sums_is_that_of_the_values(values: np.ndarray) -> None:
    assume(np.abs(values).max() > 1e-3)
    modes, cells = np.arange(16)[:, None], (np.arange(16) + 0.5) / 16
    energy = np.square((values * np.cos(np.pi * modes * cells)).sum(1)) / 8
    energy[0] /= 2
    total = values @ values
    assert energy.sum() == pytest.approx(total)
    np.testing.assert_allclose(spectrum(values) * total, energy, atol=1e-9 * total)


def test_a_sine_has_the_half_waves_that_fit_into_its_interval() -> None:
    assert int(np.argmax(spectrum(np.sin(2 * np.pi * 3 * CELLS + 0.1)))) in (5, 6, 7)
    slow, fast = np.sin(2 * np.pi * CELLS), np.sin(2 * np.pi * 20 * CELLS)
    assert low_modes(slow, 8) > 0.95 and low_modes(fast, 8) < 0.05
    assert centroid(slow) < 4 and abs(centroid(fast) - 40) < 8


def test_shuffled_values_have_little_low_frequency() -> None:
    slow = np.cos(np.pi * CELLS) + np.cos(2 * np.pi * CELLS)
    shuffled = np.random.default_rng(11).permutation(slow)
    assert low_modes(slow, 8) == pytest.approx(1.0)
    assert low_modes(shuffled, 8) < 0.15
    assert abs(centroid(shuffled) - 128) < 20  # white: 256 modes alike


def test_rows_are_transformed_by_themselves_and_nothing_has_no_spectrum() -> None:
    values = np.random.default_rng(3).normal(size=(3, 16)) * [[1e200], [1e-200], [1.0]]
    np.testing.assert_allclose(spectrum(values)[1], spectrum(values[1]))
    assert spectrum(np.zeros(4)).tolist() == [0.0] * 4
    assert centroid(np.zeros(4)) == 0.0
    assert low_modes(np.zeros(4), 4) == 0.0
    assert spectrum(np.stack([np.zeros(4), np.ones(4)])).tolist() == [[0.0] * 4, [1.0, 0.0, 0.0, 0.0]]


def test_a_single_value_is_its_own_mean() -> None:
    assert spectrum(np.array([-2.0])).tolist() == [1.0]
    assert centroid(np.array([-2.0])) == 0.0
    assert low_modes(np.array([-2.0]), 1) == 1.0


# ---- numbers that are none -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 3])
def test_a_nan_stays_one(at: int) -> None:
    x, good = np.linspace(0, 1, 6), np.arange(6.0)
    bad = np.where(np.arange(6) == at, np.nan, good)
    figures: dict[str, float | tuple[float, float] | np.ndarray] = {
        "filter": gaussian_low(x, bad, 0.1),
        "filter, inputs": gaussian_low(bad, good, 0.1),
        "ratio": low_ratio(x, bad, 0.1),
        "ratio, inputs": low_ratio(bad, good, 0.1),
        "errors": part_errors(x, bad, good, 0.1),
        "errors, fit": part_errors(x, good, bad, 0.1),
        "errors, fit of nothing": part_errors(x, np.zeros(6), bad, 0.1),
        "errors, inputs": part_errors(bad, good, good, 0.1),
        "spectrum": spectrum(bad),
        "low modes": low_modes(bad, 2),
        "centroid": centroid(bad),
        "scattered": scattered_spectrum(x, bad, 4),
        "scattered share": scattered_low_share(x, bad, 2, 4),
    }
    assert [name for name, figure in figures.items() if not np.isnan(figure).all()] == []
    assert np.isnan(scattered_low_share(bad, good, 2, 4))
    with pytest.raises(np.linalg.LinAlgError):
        principal_coordinate(bad[:, None])


def test_a_nan_spoils_its_own_row_and_column_only() -> None:
    both = np.stack([np.arange(6.0), np.full(6, np.nan)])
    assert np.isnan(spectrum(both)).any(axis=1).tolist() == [False, True]
    assert np.isnan(gaussian_low(np.arange(6.0), both.T, 1.0)).any(axis=0).tolist() == [False, True]
