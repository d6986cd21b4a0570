"""Frequencies at scattered points: the principal coordinate and the scattered transform, by plain sums and invariances."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spikecheck.measures import principal_coordinate, scattered_low_share, scattered_spectrum


def test_the_principal_coordinate_lies_along_the_longest_direction() -> None:
    t = np.random.default_rng(4).uniform(size=50)
    x = np.outer(t, [3.0, 4.0]) + 1e-6 * np.random.default_rng(5).normal(size=(50, 2))
    found = principal_coordinate(x)
    assert (found.min(), found.max()) == (0.0, 1.0)
    np.testing.assert_allclose(found, (t - t.min()) / np.ptp(t), atol=1e-5)
    for loadings, expected in (([-3.0, 4.0], found), ([3.0, -4.0], 1 - found)):  # the largest loading points up
        np.testing.assert_allclose(principal_coordinate(np.outer(t, loadings)), expected, atol=1e-5)


def test_the_principal_coordinate_is_that_of_the_covariance() -> None:
    rng = np.random.default_rng(12)
    x = rng.normal(size=(200, 5)) * [1.0, 7.0, 2.0, 0.5, 3.0] @ rng.normal(size=(5, 5)) + 4.0
    component = np.linalg.eigh(np.cov(x.T))[1][:, -1]
    along = x @ (component if component[np.argmax(np.abs(component))] > 0 else -component)
    np.testing.assert_allclose(principal_coordinate(x), (along - along.min()) / np.ptp(along), atol=1e-9)


@given(st.integers(0, 10_000), st.floats(-1e3, 1e3), st.floats(-300, 300))
def test_neither_shift_nor_scale_nor_order_moves_the_principal_coordinate(seed: int, shift: float, log: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=(20, 3)) * [5.0, 1.0, 0.2]
    found, order = principal_coordinate(x), rng.permutation(20)
    np.testing.assert_allclose(principal_coordinate(x + shift), found, atol=1e-9)
    np.testing.assert_allclose(principal_coordinate(x * 10**log), found, atol=1e-9)
    np.testing.assert_allclose(principal_coordinate(x[order]), found[order], atol=1e-9)
    np.testing.assert_allclose(principal_coordinate(-x), 1 - found, atol=1e-9)  # still the positive loading


@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 100))
def test_inputs_that_are_one_point_have_no_coordinate(seed: int, count: int, width: int) -> None:
    point = np.random.default_rng(seed).normal(size=width)
    assert principal_coordinate(np.tile(point, (count, 1))).tolist() == [0.0] * count


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


@given(hnp.arrays(np.float64, 6, elements=st.floats(0, 1)), hnp.arrays(np.float64, (6, 2), elements=st.floats(-9, 9)))
def test_the_scattered_transform_is_the_plain_sum(t: np.ndarray, y: np.ndarray) -> None:
    for mode, energy in enumerate(scattered_spectrum(t, y, 5)):
        parts = [sum(y[j] * wave(2 * math.pi * mode * t[j]) for j in range(6)) / 6 for wave in (math.cos, math.sin)]
        assert energy == pytest.approx(np.square(parts).sum(), abs=1e-9)


def test_on_an_even_grid_a_wave_is_one_mode_exactly() -> None:
    t = np.arange(64) / 64
    energy = scattered_spectrum(t, 2.0 + np.sin(2 * np.pi * 5 * t), 20)
    np.testing.assert_allclose(energy, [4.0] + [0.0] * 4 + [0.25] + [0.0] * 14, atol=1e-12)
    assert scattered_low_share(t, 2.0 + np.sin(2 * np.pi * 5 * t), 5, 20) == pytest.approx(4.0 / 4.25)


@given(st.integers(0, 10_000), st.floats(-1, 1))
def test_a_shift_of_the_points_changes_no_energy(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    t, y = rng.uniform(size=30), rng.normal(size=30)
    energy, order = scattered_spectrum(t, y, 8), rng.permutation(30)
    np.testing.assert_allclose(scattered_spectrum(t + shift, y, 8), energy, atol=1e-12)
    np.testing.assert_allclose(scattered_spectrum(t[order], y[order], 8), energy, atol=1e-12)


def test_shuffled_points_have_little_low_frequency() -> None:
    rng = np.random.default_rng(13)
    t = rng.uniform(size=2000)
    y = np.cos(2 * np.pi * t)
    assert scattered_low_share(t, y, 3) > 0.9
    assert scattered_low_share(rng.permutation(t), y, 3) < 0.2  # white: 3 of 64 modes


def test_shares_by_scattered_modes_lie_in_their_range() -> None:
    rng = np.random.default_rng(14)
    t, y = rng.uniform(size=20), rng.normal(size=20)
    shares = [scattered_low_share(t, y, below, 6) for below in range(8)]
    assert np.diff(shares).min() >= 0.0 and shares[0] == 0.0
    assert shares[6] == shares[7] == pytest.approx(1.0)
    assert scattered_low_share(t, y, 3) < scattered_low_share(t, y, 3, modes=6)  # of more energy
