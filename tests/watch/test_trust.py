"""What looks may rely on, learned from looks whose truth is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.watch.trust import Trust

COEFFICIENTS = st.floats(-2.0, 2.0)


def test_the_first_three_looks_and_every_twentieth_check() -> None:
    trust = Trust()
    assert [number for number in range(61) if trust.next_checks()] == [0, 1, 2, 20, 40, 60]


def test_a_slope_is_trusted_as_soon_as_it_agrees_and_no_longer_than_that() -> None:
    trust = Trust()
    assert trust.slope(-1.0, -1.0, may_be_clipped=False) is None
    trust.compare_slopes(-1.0, -1.0, -1.05, may_be_clipped=False)
    assert trust.slope(-1.0, -1.0, may_be_clipped=False) == -1.0
    trust.compare_slopes(-1.0, -1.0, -2.0, may_be_clipped=False)
    assert trust.slope(-1.0, -1.0, may_be_clipped=False) is None


def test_clipping_is_undone_and_unscaling_is_not() -> None:
    clipping, unscaling = Trust(), Trust()
    clipping.compare_slopes(-0.5, -1.0, -1.0, may_be_clipped=True)
    assert clipping.slope(-0.5, -1.0, may_be_clipped=True) == -1.0
    unscaling.compare_slopes(-1.0, -1024.0, -1.0, may_be_clipped=False)
    assert unscaling.slope(-1.0, -1024.0, may_be_clipped=False) == -1.0
    assert unscaling.slope(-1.0, -1024.0, may_be_clipped=True) is None


def test_what_was_learned_of_unchanged_gradients_says_nothing_of_changed_ones() -> None:
    """Regression: clipping of a scaled gradient was undone by both factors, since those before had had none."""
    trust = Trust()
    trust.compare_slopes(-1.0, -1.0, -1.0, may_be_clipped=False)
    assert trust.slope(-1.0, -65536.0, may_be_clipped=False) is None


def test_a_scaler_may_double_its_factor_and_not_clip_besides() -> None:
    trust = Trust()
    trust.compare_slopes(-1.0, -1024.0, -1.0, may_be_clipped=False)
    assert trust.slope(-1.0, -4096.0, may_be_clipped=False) == -1.0
    assert trust.slope(-1.0, -3000.0, may_be_clipped=False) is None


def test_averaged_gradients_are_never_trusted() -> None:
    trust = Trust(averaged=True)
    trust.compare_slopes(-1.0, -1.0, -1.0, may_be_clipped=False)
    assert trust.slope(-1.0, -1.0, may_be_clipped=False) is None


def test_only_the_largest_norms_may_have_been_clipped() -> None:
    trust = Trust()
    seen = [trust.may_be_clipped(norm, changed=True) for norm in (1.0, 0.5, 1.0, 2.0, 1.9)]
    assert seen == [True, False, True, True, False]
    assert not Trust().may_be_clipped(1.0, changed=False)


@given(st.floats(1.0, 3.0), COEFFICIENTS, COEFFICIENTS, COEFFICIENTS)
def test_a_cubic_has_no_rounding_error(start: float, slope: float, bend: float, twist: float) -> None:
    trust = Trust()
    before, quarter, half, after = (start + slope * t + bend * t**2 + twist * t**3 for t in (0.0, 0.25, 0.5, 1.0))
    trust.note_deviation(before, quarter, half, after, slope)
    assert trust.noise(1.0, 2.0**-52) <= 1e-12 / max(abs(before), abs(after))


@pytest.mark.parametrize("parabola", [False, True])
def test_rounding_of_a_known_size_is_measured(parabola: bool) -> None:
    rng, size = np.random.default_rng(0), 1e-4
    estimates = []
    for _ in range(400):
        trust = Trust()
        for _ in range(8):
            before, quarter, half, after = (
                2.0 - 0.1 * t + 0.03 * t**2 + size * 2.0 * rng.normal() for t in (0.0, 0.25, 0.5, 1.0)
            )
            trust.note_deviation(before, quarter, half, after, None if parabola else -0.1)
        estimates.append(trust.noise(1.0, 2.0**-52))
    assert math.isclose(float(np.median(estimates)), size, rel_tol=0.15)


def test_losses_of_exactly_0_show_no_rounding() -> None:
    """Regression: a batch learned to a loss of 0 ended the watching with a division by zero."""
    trust = Trust()
    trust.note_deviation(0.0, 0.0, 0.0, 0.0, None)
    assert trust.noise(1.0, 1e-7) == 2e-7


def test_an_error_of_fixed_size_says_nothing_of_larger_losses() -> None:
    """Regression: what is half of a loss of 1e-8 was taken for half of every loss."""
    trust = Trust()
    checks = [trust.next_checks() for _ in range(4)]
    for _ in range(3):
        trust.note_deviation(2e-8, 2e-8, 2e-8 + 1e-8, 2e-8, -1e-12)
    assert checks == [True, True, True, False]
    small = trust.noise(2e-8, 2.0**-24)
    assert 1e-9 < small < 1e-8
    assert not trust.next_checks()
    assert trust.noise(1.0, 2.0**-24) == pytest.approx(small / 2e-8)  # nothing better is known
    assert trust.next_checks()
    trust.note_deviation(1.0, 1.0, 1.0 + 1e-7, 1.0, -1e-12)
    assert trust.noise(1.0, 2.0**-24) < 1e-6
    assert not trust.next_checks()
    assert trust.noise(2e-8, 2.0**-24) == small


def test_an_error_in_proportion_stays_in_proportion() -> None:
    trust = Trust()
    for size in (1.0, 3.0, 2.0):
        trust.note_deviation(size, size, size * (1 + 1e-3), size, -1e-12)
    assert trust.noise(50.0, 2.0**-24) == pytest.approx(50.0 * trust.noise(1.0, 2.0**-24))


def test_a_look_without_a_loss_asks_for_no_check() -> None:
    trust = Trust()
    for _ in range(3):
        trust.next_checks()
        trust.note_deviation(1.0, 1.0, 1.0, 1.0, None)
    assert not any(trust.next_checks() for _ in range(10))


def test_where_a_pass_changes_buffers_neither_gradient_nor_given_loss_is_relied_on() -> None:
    trust = Trust(gradient=True, changes_buffers=True)
    trust.compare_losses(1.0, 1.0, -1.0)
    assert trust.slope(-1.0, -1.0, may_be_clipped=False) is None and not trust.given_loss
