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
    surprises = {ONSET - LEAD: 3.0, ONSET - 3 * LEAD: 2.0, 60: 1.0}
    steps = [
        step(number, surprise=next(value for first, value in surprises.items() if number >= first))
        for number in range(60, ONSET)
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
