"""What an arm does to the loss before the spike, in forks written down by hand."""

import pytest

from spikecheck.core.why import HIGHEST, Answer
from spikecheck.why.calm import calm_before, removes_any
from tests.why.planted_forks import answer, forks


def test_medians_of_forks_over_the_placebos() -> None:
    known = answer(placebo=forks(2.0, 3.0, 4.0), half_the_rate=forks(1.0, 1.5, 7.0))
    assert calm_before(known, "half the rate") == pytest.approx(0.5)
    assert calm_before(known, "clip at median") is None
    assert calm_before(answer(half_the_rate=forks(1.0)), "half the rate") is None
    assert calm_before(answer(placebo=forks(2.0), half_the_rate=()), "half the rate") is None


def test_losses_that_are_not_finite_are_left_out() -> None:
    lost = forks(1.0)[0].model_copy(update={"losses": (None,) * 100})
    assert calm_before(answer(placebo=forks(2.0), half_the_rate=(lost, *forks(1.0))), "half the rate") == 0.5


def placed(level: float, height: float = 10.0, arm_level: float = 1.0) -> Answer:
    """A spike of ten spreads, 0.1 each, above a level; forks of the placebo lie at 1 before it, those of the arm elsewhere."""
    known = answer(placebo=forks(1.0), half_the_rate=forks(arm_level))
    placebo, half = known.arms
    assert known.spike is not None
    spike = known.spike.model_copy(update={"level": level})
    return known.model_copy(update={"spike": spike, "arms": (placebo.model_copy(update={"height": height}), half)})


@pytest.mark.parametrize(("arm_level", "any_spike"), [(0.74, True), (0.76, False), (1.0, False), (0.0, False)])
def test_an_arm_removes_any_spike_that_the_lower_loss_alone_brings_below_half_of_its_height(
    arm_level: float, any_spike: bool
) -> None:
    """From a level of 1 the placebo reaches 2: half of its height is 1.5, which a loss of 0.75 reaches when doubled."""
    assert removes_any(placed(1.0, arm_level=arm_level), "half the rate") is any_spike


def test_of_what_has_no_proportions_nothing_is_said() -> None:
    assert not removes_any(placed(1.0, height=HIGHEST, arm_level=0.1), "half the rate")
    assert not removes_any(placed(-1.0, arm_level=0.1), "half the rate")
    assert not removes_any(placed(1.0, arm_level=0.1), "clip at median")
    assert not removes_any(answer(half_the_rate=forks(0.1)), "half the rate")
