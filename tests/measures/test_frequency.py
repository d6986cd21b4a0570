"""Frequencies of known signals."""

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


# ---- the Gaussian filter ---------------------------------------------------------------------------------------------


def test_far_from_the_border_a_wave_is_damped_as_the_closed_form_says() -> None:
    x = np.linspace(-30, 30, 3001)
    inside = np.abs(x) < 10
    for wave, delta in ((1.0, 0.5), (3.0, 0.2), (0.5, 4.0)):
        y = np.cos(wave * x)
        expected = np.exp(-delta * wave**2 / 2) * y
        np.testing.assert_allclose(gaussian_low(x, y, delta)[inside], expected[inside], atol=1e-4)


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


def test_the_limits_of_the_filter() -> None:
    x, y = np.linspace(0, 1, 9), np.random.default_rng(0).normal(size=9)
    np.testing.assert_allclose(gaussian_low(x, y, 1e-9), y)
    np.testing.assert_allclose(gaussian_low(x, y, 1e9), y.mean(), rtol=1e-6)


def test_shuffled_inputs_have_little_low_frequency() -> None:
    x = np.linspace(-np.pi, np.pi, 200)
    y = np.sin(x)
    shuffled = np.random.default_rng(1).permutation(y)
    assert low_ratio(x, y, 0.05) > 0.9
    assert low_ratio(x, shuffled, 0.05) < 0.2


@given(st.floats(0.1, 1e3) | st.floats(-1e3, -0.1))
def test_ratios_do_not_depend_on_the_scale(scale: float) -> None:
    x = np.linspace(0, 5, 20)
    y = np.sin(3 * x)
    assert low_ratio(x, scale * y, 0.1) == pytest.approx(low_ratio(x, y, 0.1))


def test_several_widths_are_each_by_itself() -> None:
    x = np.linspace(0, 5, 20)
    y = np.sin(3 * x)
    np.testing.assert_allclose(low_ratios(x, y, [0.1, 1.0]), [low_ratio(x, y, 0.1), low_ratio(x, y, 1.0)])
    assert low_ratio(x, np.zeros(20), 0.1) == 0.0


@pytest.mark.parametrize("delta", [0.0, -1.0, float("nan")])
def test_a_variance_must_be_above_0(delta: float) -> None:
    with pytest.raises(SettingError, match="delta="):
        gaussian_low(np.zeros(3), np.zeros(3), delta)


def test_errors_by_part() -> None:
    x = np.linspace(-np.pi, np.pi, 300)
    slow, fast = np.sin(x), np.sin(20 * x)
    low, high = part_errors(x, slow + fast, slow, 0.02)
    assert low < 0.1 and high > 0.9
    assert part_errors(x, slow, slow, 0.02) == (0.0, 0.0)
    assert part_errors(x, np.zeros(300), slow, 0.02) == (float("inf"), float("inf"))
    assert part_errors(x, np.zeros(300), np.zeros(300), 0.02) == (0.0, 0.0)


# ---- the cosine transform --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0, 1, 7, 255])
def test_a_cosine_is_one_mode(mode: int) -> None:
    values = 3 * np.cos(np.pi * mode * CELLS)
    assert spectrum(values)[mode] == pytest.approx(1.0)
    assert centroid(values) == pytest.approx(mode, abs=1e-9)
    assert low_modes(values, mode + 1) == pytest.approx(1.0)
    assert low_modes(values, mode) == pytest.approx(0.0, abs=1e-12)


@given(VALUES, st.floats(1e-150, 1e150))
def test_shares_sum_to_one_and_do_not_depend_on_the_scale(values: np.ndarray, scale: float) -> None:
    assume(np.abs(values).max() > 1e-3)
    assert spectrum(values).sum() == pytest.approx(1.0)
    np.testing.assert_allclose(spectrum(scale * values), spectrum(values), atol=1e-9)
    assert 0.0 <= centroid(values) <= 15.0


def test_the_transform_is_the_plain_sum() -> None:
    values = np.random.default_rng(2).normal(size=16)
    modes, cells = np.arange(16)[:, None], (np.arange(16) + 0.5) / 16
    energy = np.square((values * np.cos(np.pi * modes * cells)).sum(1))
    energy[0] /= 2
    np.testing.assert_allclose(spectrum(values), energy / energy.sum())


def test_rows_are_transformed_by_themselves_and_nothing_has_no_spectrum() -> None:
    values = np.random.default_rng(3).normal(size=(3, 16))
    np.testing.assert_allclose(spectrum(values)[1], spectrum(values[1]))
    assert spectrum(np.zeros(4)).tolist() == [0.0] * 4
    assert centroid(np.zeros(4)) == 0.0


# ---- scattered points -------------------------------------------------------------------------------------------------


def test_the_principal_coordinate_lies_along_the_longest_direction() -> None:
    t = np.random.default_rng(4).uniform(size=50)
    x = np.outer(t, [3.0, 4.0]) + 1e-6 * np.random.default_rng(5).normal(size=(50, 2))
    found = principal_coordinate(x)
    assert (found.min(), found.max()) == (0.0, 1.0)
    np.testing.assert_allclose(found, (t - t.min()) / np.ptp(t), atol=1e-5)
    assert principal_coordinate(np.ones((3, 2))).tolist() == [0.0] * 3


@pytest.mark.parametrize("mode", [1, 5])
def test_a_wave_at_scattered_points_is_found_at_its_mode(mode: int) -> None:
    t = np.random.default_rng(6).uniform(size=4000)
    energy = scattered_spectrum(t, np.cos(2 * np.pi * mode * t), 20)
    assert int(np.argmax(energy)) == mode
    assert energy[mode] == pytest.approx(0.25, rel=0.1)
    assert scattered_low_share(t, np.cos(2 * np.pi * mode * t), mode + 1, 20) > 0.95
    assert scattered_low_share(t, np.cos(2 * np.pi * mode * t), mode, 20) < 0.05


def test_outputs_add_up_and_nothing_has_no_share() -> None:
    t = np.linspace(0, 1, 30)
    y = np.random.default_rng(7).normal(size=(30, 2))
    both = scattered_spectrum(t, y[:, 0], 8) + scattered_spectrum(t, y[:, 1], 8)
    np.testing.assert_allclose(scattered_spectrum(t, y, 8), both)
    assert scattered_low_share(t, np.zeros(30), 3) == 0.0
