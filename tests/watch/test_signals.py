"""Warnings come when they should, once, and name what rises."""

from spikecheck.core.watched import LayerLook, Look, Step
from spikecheck.watch.signals import Rise, Signals, rising


def look(step: int, overshoot: float | None, update: float = 1.0, lr: float = 0.1) -> Step:
    layer = LayerLook(update=update, weights=1.0, gradient=1.0)
    return Step(
        step=step,
        loss=2.0,
        lr=(lr,),
        look=Look(overshoot=overshoot, layers={"a": layer, "b": LayerLook(update=1.0, weights=1.0)}),
    )


def test_one_warning_for_each_stretch_above_one() -> None:
    signals = Signals()
    series = [0.5, 1.2, 1.3, 0.9, 1.1, 1.2, None, 1.4, 1.5, 0.2, 1.1, 1.1, 1.1]
    warned = [w for step, value in enumerate(series) for w in signals.take(look(step, value))]
    assert [(one.step, one.kind) for one in warned] == [(7, "overshoot"), (12, "overshoot")]
    assert "(overshoot 1.10, 1.20, 1.40)" in warned[0].says


def test_what_rises_is_named_largest_first() -> None:
    looks = [look(step, 0.5) for step in range(20)] + [look(step, 1.5, update=3.0) for step in range(20, 23)]
    assert [(rise.what, rise.factor) for rise in rising(looks)] == [("update of a", 3.0)]
    assert rising(looks[:5]) == []


def test_a_rate_that_jumped_is_named_at_once() -> None:
    signals = Signals()
    for step in range(300):
        signals.take(Step(step=step, loss=2.0 + 0.01 * (step % 7), lr=(0.1,)))
    (warned,) = signals.take(Step(step=300, not_finite="inf", lr=(1.0,)))
    assert warned.kind == "spike" and warned.says == "the loss is inf; rising: learning rate 1, 10.0 times its median"


def test_a_spike_is_told_with_the_last_overshoot() -> None:
    signals = Signals()
    losses = [2.0 + 0.01 * ((7 * step) % 11) for step in range(300)] + [4.0] * 3
    warned = [
        w for step, loss in enumerate(losses) for w in signals.take(look(step, 0.25).model_copy(update={"loss": loss}))
    ]
    assert len(warned) == 1
    assert warned[0].says.startswith("loss spike since step 300: 4, ") and "overshoot 0.25 at step" in warned[0].says


def test_figures_beyond_their_scale_are_short() -> None:
    """Regression: a training that diverged was said to have risen by a factor of 75 digits."""
    assert Rise("update of a", 1e76, 8.0720886e74).says() == "update of a 1e+76, 8.07e+74 times its median"
    signals = Signals()
    steps = [look(step, 0.5, update=1.0 + step % 3) for step in range(300)]
    steps += [look(step, 7.5e70, update=1e76).model_copy(update={"loss": 3e70}) for step in range(300, 306)]
    warned = [one for step in steps for one in signals.take(step)]
    assert {one.kind for one in warned} == {"spike", "overshoot"}
    assert max(len(word) for one in warned for word in one.says.split()) < 15
