"""Excursions at a named step, in losses whose excursion is known."""

import math

import numpy as np
import pytest

from spikecheck.watch.detector import NoisySpike
from spikecheck.why.excursion import NEAR, excursion_at, highest


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


# ---- losses of which everything is known: 0 and 1 in turn, with a level of 1/2 and a spread of 1.4826 / 2 -----------------


def raised(at: int, *, to: float = 5.0, length: int = 400, steps: int = 1) -> list[float]:
    losses = [float(place % 2) for place in range(length)]
    losses[at : at + steps] = [to] * steps
    return losses


def test_an_excursion_has_these_numbers() -> None:
    spread = 1.4826 * 0.5
    assert excursion_at(1_000, raised(200, steps=3), 1_201) == NoisySpike(
        onset=1_200, alarm=1_200, peak=1_200, height=4.5 / spread, level=0.5, spread=spread, loss=5.0, rule="high",
        over=1_203,
    )  # fmt: skip


def test_above_losses_that_do_not_vary_every_height_is_infinite() -> None:
    spike = excursion_at(0, [1.0] * 200 + [2.0] + [1.0] * 100, 200)
    assert spike is not None
    assert (spike.height, spike.spread, spike.rule, spike.loss) == (math.inf, 0.0, "not finite", 2.0)


@pytest.mark.parametrize("first", [0, 1_000])
def test_it_is_looked_for_within_so_many_steps_on_both_sides(first: int) -> None:
    found = [excursion_at(first, raised(200), first + 200 + away) for away in (-NEAR - 1, -NEAR, NEAR, NEAR + 1)]
    assert [spike is not None for spike in found] == [False, True, True, False]


def test_a_loss_as_high_as_those_before_is_none() -> None:
    assert excursion_at(0, raised(200, to=1.0), 200) is None
    assert excursion_at(0, raised(200, to=1.0 + 1e-9), 200) is not None


def test_the_first_of_all_losses_counts_among_those_before() -> None:
    losses = raised(50, to=2.0)
    assert excursion_at(0, losses, 50) is not None
    losses[0] = 3.0
    assert excursion_at(0, losses, 50) is None


def test_thirty_two_losses_are_a_level_and_a_step_among_them_has_none() -> None:
    assert excursion_at(1_000, raised(33), 1_032) is not None
    assert excursion_at(1_000, raised(33), 1_031) is None


def test_among_losses_that_are_no_numbers_there_is_no_level() -> None:
    losses = raised(200)
    losses[100] = math.nan
    assert excursion_at(0, losses, 200) is None


@pytest.mark.parametrize(("gap", "onset"), [(5, 195), (6, 200)])
def test_five_losses_in_a_row_below_the_ceiling_part_two_excursions(gap: int, onset: int) -> None:
    losses = raised(200)
    losses[200 - gap] = 3.0
    spike = excursion_at(0, losses, 200)
    assert spike is not None and spike.onset == onset


def test_an_excursion_in_the_last_steps_has_no_end() -> None:
    for length, over in ((204, None), (205, None), (206, 201)):
        spike = excursion_at(0, raised(200, length=length), 200)
        assert spike is not None and (spike.peak, spike.over) == (200, over)


def test_the_highest_place_has_its_height() -> None:
    place = highest(1_000, raised(200, to=10.0, steps=5))
    assert place is not None and place[0] == 1_200
    assert place[1] == pytest.approx(9.5 / (1.4826 / 2))


def test_without_a_spread_no_place_is_high() -> None:
    assert highest(0, [1.0] * 200 + [9.0] * 5 + [1.0] * 100) == (128, 0.0)


def test_one_place_needs_the_128_before_it_and_five() -> None:
    assert highest(0, raised(10, length=132)) is None
    place = highest(0, raised(10, length=133))
    assert place is not None and place[0] == 128
