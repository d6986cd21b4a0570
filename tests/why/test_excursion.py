"""Excursions at a named step, in losses whose excursion is known."""

import math

import numpy as np
import pytest

from spikecheck.why.excursion import excursion_at, highest


def noisy(*, length: int = 400, at: int = 200, height: float = 0.0, steps: int = 10) -> list[float]:
    losses = 1.0 + 0.1 * np.random.default_rng(1).normal(size=length)
    losses[at : at + steps] += height
    return [float(loss) for loss in losses]


def test_an_excursion_has_its_onset_its_height_and_its_end() -> None:
    spike = excursion_at(0, noisy(height=2.0), 205)
    assert spike is not None
    assert (spike.onset, spike.over) == (200, 210)
    assert spike.level == pytest.approx(1.0, abs=0.05)
    assert spike.height == pytest.approx(20.0, rel=0.3)


def test_steps_are_counted_from_the_first() -> None:
    here, later = (excursion_at(first, noisy(height=2.0), first + 205) for first in (0, 1_000))
    assert here is not None and later is not None
    assert (later.onset, later.peak) == (here.onset + 1_000, here.peak + 1_000)


def test_noise_that_is_not_above_its_past_is_none() -> None:
    falling = [float(loss) for loss in np.linspace(2.0, 1.0, 400)]
    assert excursion_at(0, falling, 200) is None


def test_a_loss_that_is_no_number_is_the_highest_of_all() -> None:
    losses = noisy(height=2.0)
    losses[204] = math.nan
    spike = excursion_at(0, losses, 205)
    assert spike is not None
    assert (spike.peak, spike.rule, spike.height) == (204, "not finite", math.inf)


def test_what_never_comes_back_has_no_end() -> None:
    spike = excursion_at(0, noisy(height=2.0, steps=200), 200)
    assert spike is not None and spike.over is None


def test_too_few_losses_before_it_are_no_level() -> None:
    assert excursion_at(0, noisy(height=2.0, at=20), 20) is None


def test_the_highest_place_is_the_planted_one() -> None:
    place = highest(0, noisy(height=2.0))
    assert place is not None
    assert 196 <= place[0] <= 205
    assert place[1] > 10
    assert highest(0, noisy()[:100]) is None


def test_losses_of_long_ago_are_no_measure() -> None:
    losses = noisy(height=2.0, at=300)
    losses[:100] = [9.0] * 100
    spike = excursion_at(0, losses, 305)
    assert spike is not None
    assert (spike.onset, spike.over) == (300, 310)
    assert spike.level == pytest.approx(1.0, abs=0.05)
