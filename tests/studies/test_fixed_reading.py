"""The rule by which the loss on all points is read, on rises whose reason is known in closed form."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from spikecheck.why.scene import BEFORE, LEAD
from studies.fixed_loss import FixedStep
from studies.fixed_reading import Said, read_fixed

ONSET = 100
QUIET = range(ONSET - BEFORE, ONSET - LEAD)


def step(number: int, loss: float, after: float, slope: float, **other: float) -> FixedStep:
    """A step on a parabola, unless the other numbers say otherwise."""
    bend = 2.0 * (after - loss - slope)
    numbers = {"half": loss + slope / 2.0 + bend / 8.0, "bend": bend, "gradient_curvature": 0.1, "own_square": 1.0}
    return FixedStep(
        **{
            **numbers,
            "step": number,
            "loss": loss,
            "after": after,
            "slope": slope,
            "own_bend": 0.5,
            "rate": 0.2,
            **other,
        }
    )


def path(losses: Sequence[float], slopes: Iterable[float], first: int, **other: float) -> list[FixedStep]:
    """Steps from each loss to the next; slopes are of ln L."""
    pairs = zip(pairwise(losses), slopes, strict=True)
    return [step(first + place, *pair, slope * pair[0], **other) for place, (pair, slope) in enumerate(pairs)]


def read(factors: Sequence[float], slopes: Sequence[float], usual: float = 0.0, **other: float) -> Any:
    """Quiet steps with slopes `usual` in which L goes up and down by 1 %; and then a path by factors."""
    quiet = [1.0 + 0.01 * (place % 2) for place in range(len(QUIET) + 1)]
    calm = path(quiet, [usual] * len(QUIET), QUIET.start, **other)
    near = path([math.prod(factors[:place]) for place in range(len(factors) + 1)], slopes, QUIET.stop)
    return read_fixed([*calm, *near], ONSET, QUIET.stop + len(factors))


@pytest.mark.parametrize("growth", [1.05, 1.2, 2.0])
def test_gradient_descent_beyond_its_threshold_takes_steps_too_long(growth: float) -> None:
    """L = λx²/2 and u = -(1 + rho)x: g·u/L is -2(1 + rho), and L grows by rho² a step."""
    known = read([growth**2] * 10, [-2.0 * (1.0 + growth)] * 10)
    assert known.says is Said.LONG
    assert known.share == pytest.approx(1.0 + (1.0 + growth) / math.log(growth))
    assert (known.first, known.last) == (QUIET.stop, QUIET.stop + 9)
    assert known.rise == pytest.approx(20.0 * math.log(growth))
    assert known.parabolic == known.agreeing == 1.0
    assert known.batch_sharpness == pytest.approx(0.05)
    assert known.gradient_curvature == known.usual_gradient_curvature == 0.1


def test_a_straight_walk_out_of_a_minimum_points_uphill() -> None:
    """L = 1 + (ka)²/2: after the first step, whose slope is 0, the slopes make the rise."""
    displacements = [0.4 * place for place in range(11)]
    losses = [1.0 + one**2 / 2.0 for one in displacements]
    slopes = [0.4 * one / loss for one, loss in zip(displacements, losses, strict=True)][:-1]
    factors = [after / before for before, after in pairwise(losses)]
    assert read(factors, slopes).says is Said.UPHILL
    assert read(factors, slopes, usual=-0.05).says is Said.UPHILL


def test_a_single_kick_cannot_be_told() -> None:
    known = read([3.0], [0.0], usual=-0.05)
    assert (known.says, known.first, known.last) == (Said.UNKNOWN, QUIET.stop, QUIET.stop)
    assert known.share == pytest.approx(1.0 - 0.05 / math.log(3.0))


def test_the_usual_slopes_are_taken_off() -> None:
    """Slopes as downhill as in quiet steps are no sign of anything; a little more so are."""
    assert read([1.2] * 5, [-0.3] * 5, usual=-0.3).share == pytest.approx(1.0)
    assert read([1.2] * 5, [-0.3] * 5, usual=-0.2).says is Said.LONG
    assert read([1.2] * 5, [-0.3] * 5, usual=-0.35).says is Said.UNKNOWN


def test_the_usual_change_is_taken_off_too() -> None:
    """Quiet losses fall by 1 % a step: standing still is a rise beyond that."""
    falling = path([0.99**place for place in range(57)], [-0.2] * 56, QUIET.start)
    rising = path([1.2**place for place in range(6)], [-0.3] * 5, QUIET.stop)
    known = read_fixed([*falling, *rising], ONSET, QUIET.stop + 5)
    assert known.share == pytest.approx(1.0 + 0.1 / (math.log(1.2) - math.log(0.99)))


def test_a_rise_must_be_twice_the_largest_of_the_quiet_steps() -> None:
    assert read([1.01, 1.0098], [-3.0, -3.0]).says is Said.NO_RISE
    assert read([1.01, 1.0102], [-3.0, -3.0]).says is Said.LONG
    assert read([0.9, 0.9], [-3.0, -3.0]).says is Said.NO_RISE


def test_where_quiet_losses_only_fall_standing_still_is_no_rise() -> None:
    falling = path([0.9**place for place in range(len(QUIET) + 1)], [-0.1] * len(QUIET), QUIET.start)
    ahead = path([1e-3, 9e-4, 8e-4], [-0.1, -0.1], QUIET.stop)
    known = read_fixed([*falling, *ahead], ONSET, QUIET.stop + 2)
    assert (known.says, known.share, known.rise) == (Said.NO_RISE, None, 0.0)


def test_the_rise_is_the_largest_in_its_order() -> None:
    """Down by a factor of 16 and up by 8: the rise begins after the fall."""
    known = read([2.0, 1 / 32, 2.0, 4.0, 0.5], [0.0, 0.0, -5.0, -5.0, 0.0])
    assert (known.first, known.last) == (QUIET.stop + 2, QUIET.stop + 3)
    assert (known.low, known.high) == pytest.approx((1 / 16, 0.5))
    assert known.slope == pytest.approx(-10.0)


def test_steps_after_the_peak_do_not_count() -> None:
    calm = path([1.0, 1.01] * 28 + [1.0], [0.0] * 56, QUIET.start)
    near = path([1.0, 1.2, 1.5, 9.0], [-3.0] * 3, QUIET.stop)
    assert read_fixed([*calm, *near], ONSET, QUIET.stop + 2).high == 1.5


def test_nothing_is_said_where_gradient_and_losses_differ() -> None:
    assert read([1.5] * 5, [-3.0] * 5, half=1.5).says is Said.UNKNOWN
    assert read([1.5] * 5, [-3.0] * 5).says is Said.LONG


def test_too_few_steps() -> None:
    with pytest.raises(ValueError, match="too few"):
        read_fixed(path([1.0] * 8, [0.0] * 7, QUIET.start), ONSET, ONSET + 1)
    with pytest.raises(ValueError, match="too few"):
        read_fixed(path([1.0] * 57, [0.0] * 56, QUIET.start), ONSET, ONSET + 1)


def noisy_descent(rng: np.random.Generator, rate: float) -> list[FixedStep]:
    """Stationary gradient descent with momentum 0.9 on a bowl of 20 directions, all stable, with additive noise."""
    curvature = np.geomspace(0.01, 1.0, 20)
    x, moment, made = np.zeros(20), np.zeros(20), []
    for number in range(ONSET - BEFORE - 300, ONSET + 16):
        moment = 0.9 * moment + 0.1 * (curvature * x + rng.normal(size=20))
        update = -rate * moment
        loss, after = (0.1 + (curvature * place**2).sum() / 2.0 for place in (x, x + update))
        if number >= ONSET - BEFORE:
            made.append(step(number, loss, after, float((curvature * x * update).sum())))
        x = x + update
    return made


@pytest.mark.parametrize("rate", [0.1, 1.0, 5.0])
def test_noise_alone_is_seldom_too_long(rate: float) -> None:
    """The threshold is 38; of 100 stretches at most 5 % may be called too long; 10 are more than chance allows."""
    rng = np.random.default_rng(0)
    said = [read_fixed(noisy_descent(rng, rate), ONSET, ONSET + 16).says for _ in range(100)]
    assert said.count(Said.LONG) < 10
