"""Arms change what they say and nothing else, and what they fork covers the steps that they say."""

from collections.abc import Callable
from functools import partial

import pytest

from spikecheck import arms
from spikecheck.core.intervention import Continue, Exchange, FreezeOutside, Hold, Inject, LowerRate, Retune, steps_of
from spikecheck.core.setting import Setting
from spikecheck.core.spike import SpikeDefinition

SETTING = Setting(lr=0.1, steps=500, input_std=0.2, output_std=0.1, init_scale=0.5)
DEFINITION = SpikeDefinition(lead=30)


@pytest.mark.parametrize(
    ("arm", "fork"),
    [
        (partial(arms.through, horizon=300), Continue(horizon=300)),
        (partial(arms.through, horizon=300, at="onset", anneal=7), Continue(horizon=300, at="onset", anneal=7)),
        (partial(arms.calm_twin, horizon=300), LowerRate(factor=0.25, horizon=300)),
        (partial(arms.lower_rate, horizon=300, factor=0.2), LowerRate(factor=0.2, horizon=300)),
        (partial(arms.held, horizon=300), Hold(horizon=300)),
        (
            partial(arms.held, horizon=300, every=4, level=0.98, anneal=9),
            Hold(horizon=300, every=4, level=0.98, anneal=9),
        ),
        (partial(arms.displaced, horizon=300, rank=2, rise=10.0), Inject(horizon=300, rank=2, rise=10.0)),
        (
            partial(arms.displaced, horizon=9, rank=1, rise=2.0, at="onset", factor=0.5, definition=DEFINITION),
            Inject(horizon=9, rank=1, rise=2.0, at="onset", factor=0.5, definition=DEFINITION),
        ),
        (partial(arms.first_direction_only, horizon=60), FreezeOutside(at="onset", horizon=60)),
        (partial(arms.exchanged, other=(("input_std", 0.5),)), Exchange(other=(("input_std", 0.5),))),
    ],
)
def test_a_fork_is_what_the_arm_says(arm: Callable[[Setting], Setting], fork: object) -> None:
    assert arm(SETTING) == SETTING.but(intervention=fork)


def test_an_arm_with_other_hyperparameters_is_a_fork() -> None:
    adam = SETTING.but(optimizer="adam")
    faster = arms.retuned(adam, horizon=300, numbers=(("beta2", 0.9),))
    assert faster == adam.but(intervention=Retune(horizon=300, numbers=(("beta2", 0.9),)))
    emptied = arms.retuned(adam, horizon=9, at="end", empties_momentum=True)
    assert emptied == adam.but(intervention=Retune(at="end", horizon=9, empties_momentum=True))


def test_twins_cover_the_same_rate_times_steps() -> None:
    both = arms.twins(horizon=300)
    forks = {name: arm(SETTING).intervention for name, arm in both.items()}
    assert list(forks) == ["spiking", "calm"]
    assert isinstance(forks["calm"], LowerRate) and forks["spiking"] is not None
    assert steps_of(forks["calm"]) * forks["calm"].factor == steps_of(forks["spiking"]) == 300


@pytest.mark.parametrize(
    ("arm", "changes"),
    [
        (partial(arms.slower, times=4), {"lr": 0.025}),
        (partial(arms.slower, times=4, lengthened=True), {"lr": 0.025, "steps": 2_000}),
        (partial(arms.scaled, condition="init_scale", factor=4.0), {"init_scale": 2.0}),
        (partial(arms.scaled, condition="input_std", factor=10.0), {"input_std": 2.0}),
        (arms.changed, {}),
        (partial(arms.changed, width=9), {"width": 9}),
    ],
)
def test_conditions_change_as_the_arm_says(arm: Callable[[Setting], Setting], changes: dict[str, float]) -> None:
    assert arm(SETTING) == SETTING.but(**changes)


def test_plain_descent_keeps_the_rate() -> None:
    adam = Setting(optimizer="adam", lr=0.02, beta1=0.8)
    assert (arms.plain_descent(adam).optimizer, arms.plain_descent(adam).lr) == ("gd", 0.02)


def test_an_exchange_is_with_a_run_of_other_conditions() -> None:
    moved = arms.exchanged(SETTING, other=(("init_scale", 0.5),), init_scale=3.0)
    assert moved.init_scale == 3.0 and moved.intervention is not None and moved.intervention.at == "end"
