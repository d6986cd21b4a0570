"""The rate of the ascent on quadratics, where it is known exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spikecheck.measures.ascent import ascent, displacement_r2, growth, rate_error, sign_agreement, turning_point

LR = 0.1
RISING = arrays(np.float64, 80, elements=st.floats(20.5, 30.0), unique=True)
MIXED = arrays(np.float64, 80, elements=st.floats(14.0, 19.5) | st.floats(20.5, 26.0), unique=True)


def factors_on_a_quadratic(sharpness: np.ndarray, first: float) -> np.ndarray:
    """Swings along the eigenvector of gradient descent on a valley whose curvature changes: x' = (1 - lr lambda) x."""
    place, swings = first, []
    for curvature in sharpness:
        swings.append(place)
        place *= 1.0 - LR * curvature
    return growth(np.array(swings), np.array([*swings[1:], place]))


@given(RISING | MIXED, st.floats(1e-12, 1.0))
def test_an_exact_ascent_is_seen_exactly(sharpness: np.ndarray, first: float) -> None:
    factors = factors_on_a_quadratic(sharpness, first)
    assert rate_error(factors, sharpness, LR) == pytest.approx(0.0, abs=1e-9)
    assert displacement_r2(factors, sharpness, LR) == pytest.approx(1.0, abs=1e-6)
    assert sign_agreement(factors, sharpness, LR) == (1.0, 80)


@given(RISING)
def test_another_eigenvalue_is_seen_to_be_wrong(sharpness: np.ndarray) -> None:
    factors = factors_on_a_quadratic(sharpness, 1e-6)
    assert rate_error(factors, sharpness / 2, LR) > 0.05
    assert displacement_r2(factors, sharpness / 2, LR) < 0.5
    assert sign_agreement(factors, sharpness / 2, LR)[0] == 0.0


def test_the_rate_error_is_the_median_of_the_log_ratios() -> None:
    sharpness = np.full(5, 25.0)  # predicts 1.5
    factors = 1.5 * np.exp(np.array([0.0, 0.1, -0.2, 0.3, -5.0]))
    assert rate_error(factors, sharpness, LR) == pytest.approx(0.2)


def test_r2_fits_an_offset_and_no_slope() -> None:
    sharpness = np.array([25.0, 22.0, 28.0, 24.0])
    exact = np.abs(1.0 - LR * sharpness)
    shifted = exact * np.array([7.0, 1.0, 1.0, 1.0])
    assert displacement_r2(shifted, sharpness, LR) == pytest.approx(1.0)
    assert displacement_r2(exact**2, sharpness, LR) == pytest.approx(0.75)  # rest 1, measured 2: 1 - 1/4
    assert displacement_r2(np.ones(4), sharpness, LR) == 0.0


def test_steps_in_the_band_do_not_count() -> None:
    share, counted = sign_agreement(np.array([0.9, 1.1]), np.array([20.1, 25.0]), LR, band=0.01)
    assert (share, counted) == (1.0, 1)
    assert sign_agreement(np.array([1.0]), np.array([20.0]), LR) == (0.0, 0)


@pytest.mark.parametrize(("swing", "following"), [(0.0, 0.0), (0.0, 1e6), (1e6, 0.0), (-3.0, 0.0)])
def test_a_swing_of_zero_needs_no_warning(swing: float, following: float) -> None:
    factors = growth(np.array([swing]), np.array([following]))
    assert np.isfinite(factors).all()
    assert np.isfinite(rate_error(factors, np.array([1.0 / LR]), LR))  # one step to the bottom: log 0


def test_the_ascent_reaches_from_the_last_crossing_to_the_peak() -> None:
    rising = np.linspace(10, 30, 21)
    assert ascent(rising, 20.0, onset=18, peak=20) == slice(10, 20)
    twice = np.concatenate([rising, rising])
    assert ascent(twice, 20.0, onset=40, peak=41) == slice(31, 41)


def test_an_ascent_whose_beginning_was_missed_is_none() -> None:
    assert ascent(np.full(10, 30.0), 20.0, onset=8, peak=9) is None
    assert ascent(np.full(10, 10.0), 20.0, onset=8, peak=9) is None


@pytest.mark.parametrize("turn", [60, 100])
def test_the_turning_point_is_where_decay_becomes_growth(turn: int) -> None:
    steps = np.arange(200)
    size = np.where(steps < turn, 0.9 ** (steps - turn), 1.1 ** (steps - turn))
    found = turning_point(size * (-1.0) ** steps)
    assert found is not None
    assert abs(found - turn) <= 5  # half the smoothing: it decays faster than it grows


def test_a_single_small_swing_is_no_turn_and_an_end_is_none() -> None:
    size = np.power(1.1, np.linspace(-100.0, 99.0, 200))
    size[150] = 1e-12
    assert turning_point(size) is None
    assert turning_point(size[::-1]) is None
    assert turning_point(np.ones(5)) is None
