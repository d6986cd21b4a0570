"""What is read off the steps before an onset, of steps written down by hand."""

import pytest

from spikecheck.core.watched import LayerLook, Look, Step
from spikecheck.why.scene import LEAD
from spikecheck.why.signs import read_signs

ONSET = 100


def step(number: int, *, overshoot: float | None = 0.2, surprise: float = 1.0, unresolved: str | None = None) -> Step:
    layer = LayerLook(update=1.0, weights=1.0, surprise=surprise)
    return Step(step=number, look=Look(overshoot=overshoot, unresolved=unresolved, layers={"head": layer}))


def test_the_overshoot_is_that_of_the_last_steps_before_the_onset() -> None:
    steps = [step(number, overshoot=9.0 if number < ONSET - LEAD else 0.5) for number in range(60, ONSET)]
    assert read_signs([*steps, step(ONSET, overshoot=7.0)], ONSET).overshoot == 0.5


def test_a_layers_surprise_is_beside_the_largest_before() -> None:
    surprises = {ONSET - LEAD: 3.0, ONSET - 4 * LEAD: 1.5, ONSET - 6 * LEAD: 2.0, 36: 1.0}
    steps = [
        step(number, surprise=next(value for first, value in surprises.items() if number >= first))
        for number in range(36, ONSET)
    ]
    (sign,) = read_signs(steps, ONSET).layers
    assert sign.name == "head"
    assert [sign.surprise, sign.usual] == pytest.approx([3.0, 2.0])


def test_why_there_is_no_overshoot_is_said() -> None:
    steps = [step(number, overshoot=None, unresolved="lost in rounding") for number in range(60, ONSET)]
    signs = read_signs(steps, ONSET)
    assert signs.overshoot is None
    assert signs.missing == "no overshoot: lost in rounding"
    assert read_signs([], ONSET).missing == "no step before the onset could be watched"


def lagging_at(*, first: int, last: int = ONSET, height: float = 10.0) -> tuple[float, float]:
    """Surprise and usual of a layer whose |g|/√v is high from `first` to `last` - 1, and else 1."""
    steps = [step(number, surprise=height if first <= number < last else 1.0) for number in range(ONSET - 64, ONSET)]
    (sign,) = read_signs(steps, ONSET).layers
    return sign.surprise, sign.usual


@pytest.mark.parametrize("late", [0, 8, 16, 24])
def test_a_lag_is_seen_where_the_onset_is_dated_late(late: int) -> None:
    """Regression: dated 14 steps late, the steps that counted as usual had the lag in them."""
    assert lagging_at(first=ONSET - late - LEAD) == pytest.approx((10.0, 1.0))
    assert lagging_at(first=ONSET - late - LEAD, last=ONSET - late) == pytest.approx((10.0, 1.0))


def test_a_lag_long_before_is_usual() -> None:
    surprise, usual = lagging_at(first=ONSET - 48)
    assert surprise == usual == pytest.approx(10.0)


def test_too_few_steps_before_the_onset_tell_no_lag() -> None:
    assert read_signs([step(number) for number in range(ONSET - 39, ONSET)], ONSET).layers == ()
    assert len(read_signs([step(number) for number in range(ONSET - 40, ONSET)], ONSET).layers) == 1
