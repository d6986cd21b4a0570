"""Rank correlation, condensation, ascent and sharpness against closed forms and second implementations."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ortho_group, spearmanr

from spikecheck import measures as m

SERIES = arrays(np.float64, st.shared(st.integers(3, 30), key="n"), elements=st.integers(-5, 5).map(float))


@given(SERIES, SERIES)
def test_spearman_is_scipys_ties_included(a: np.ndarray, b: np.ndarray) -> None:
    assume(np.ptp(a) > 0 and np.ptp(b) > 0)
    assert m.spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-10)


def test_a_constant_series_orders_nothing() -> None:
    assert m.spearman(np.ones(5), np.arange(5.0)) == 0.0


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_alignment_does_not_see_rotations_signs_or_scales(seed: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(width, 3))
    turned = weights @ ortho_group.rvs(3, random_state=seed) * rng.uniform(0.1, 9, (width, 1)) * rng.choice([-1, 1])
    assert m.alignment(turned) == pytest.approx(m.alignment(weights), abs=1e-9)


def test_alignment_and_effective_ratio_at_their_ends() -> None:
    one_way = np.outer(np.array([1.0, 2.0, 3.0, 0.5]), np.array([0.6, 0.8]))
    assert m.alignment(one_way) == pytest.approx(1.0)
    assert m.effective_ratio(one_way) == 0.25
    assert m.alignment(np.eye(4)) == 0.0
    assert m.effective_ratio(np.eye(4)) == 1.0
    assert m.alignment(np.zeros((3, 2))) == 0.0
    assert m.effective_ratio(np.zeros((3, 2))) == 0.0


def test_amplitudes_weigh_pairs() -> None:
    weights = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert m.alignment(weights, np.array([1.0, 1.0, 0.0])) == pytest.approx(1.0)
    assert m.alignment(weights, np.ones(3)) == pytest.approx(m.alignment(weights))


@given(arrays(np.float64, 80, elements=st.floats(20.5, 30.0)), st.floats(1e-12, 1.0))
def test_an_exact_ascent_is_seen_exactly(sharpness: np.ndarray, first: float) -> None:
    lr = 0.1
    displacement = first * np.concatenate([[1.0], np.cumprod(1.0 - lr * sharpness)])
    factors = m.growth(displacement[:-1], displacement[1:])
    assert m.rate_error(factors, sharpness, lr) == pytest.approx(0.0, abs=1e-9)
    assert m.displacement_r2(factors, sharpness, lr) == pytest.approx(1.0, abs=1e-6)
    assert m.sign_agreement(factors, sharpness, lr) == (1.0, 80)
    assert m.rate_error(factors, sharpness / 2, lr) > 0.05


def test_steps_in_the_band_do_not_count() -> None:
    share, counted = m.sign_agreement(np.array([0.9, 1.1]), np.array([20.1, 25.0]), lr=0.1, band=0.01)
    assert (share, counted) == (1.0, 1)
    assert m.sign_agreement(np.array([1.0]), np.array([20.0]), lr=0.1) == (0.0, 0)


def test_an_ascent_whose_beginning_was_missed_is_none() -> None:
    assert m.ascent(np.full(10, 30.0), 20.0, onset=8, peak=9) is None
    rising = np.linspace(10, 30, 21)
    assert m.ascent(rising, 20.0, onset=18, peak=20) == slice(10, 20)


def test_steps_to_flat_is_censored_where_flatness_never_comes() -> None:
    assert m.steps_to_flat(np.array([1.0, 5.0, 3.0, 2.0]), np.full(4, 9.0), 2.0) == 3.0
