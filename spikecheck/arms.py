"""The runs that are trained for a claim: functions from the claim's setting to that of an arm.

Each takes a `Setting` first and keyword arguments after it, and gives a `Setting`. In a claim,
`arms={"calm": partial(calm_twin, horizon=3_000)}`; `described` puts it into the claim's own words.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from spikecheck.core.intervention import (
    Continue,
    Exchange,
    FreezeOutside,
    Hold,
    Inject,
    Landmark,
    LowerRate,
    Retune,
    Value,
)
from spikecheck.core.setting import Setting
from spikecheck.core.spike import SpikeDefinition


def through(setting: Setting, *, horizon: int, at: Landmark = "before_onset", anneal: int = 0) -> Setting:
    """Continues through the spike.

    Args:
        setting: of the training that is forked.
        horizon: steps that the fork covers, at least 1.
        at: where it forks from the training.
        anneal: steps of annealing after it, in steps of the training's own rate; 0: none.
    """
    return setting.but(intervention=Continue(at=at, horizon=horizon, anneal=anneal))


def calm_twin(setting: Setting, *, horizon: int) -> Setting:
    """The calm twin: a quarter of the learning rate, four times as many steps.

    Args:
        setting: of the training that is forked, before the onset of its first spike.
        horizon: the training's steps that are covered, at least 1; the fork takes four times as many.
    """
    return lower_rate(setting, horizon=horizon, factor=0.25)


def lower_rate(setting: Setting, *, horizon: int, factor: float) -> Setting:
    """{factor} times the learning rate, for as many steps as cover the same lr x steps.

    Args:
        setting: of the training that is forked, before the onset of its first spike.
        horizon: the training's steps that are covered, at least 1; the fork takes 1/`factor` as many.
        factor: learning rate over the training's, in (0, 1].
    """
    return setting.but(intervention=LowerRate(factor=factor, horizon=horizon))


def twins(*, horizon: int) -> dict[str, Callable[[Setting], Setting]]:
    """The arms `spiking` and `calm`: through the spike, and its calm twin over the same `horizon` steps of lr x steps."""
    return {"spiking": partial(through, horizon=horizon), "calm": partial(calm_twin, horizon=horizon)}


def held(setting: Setting, *, horizon: int, every: int = 5, level: float = 1.0, anneal: int = 0) -> Setting:
    """Continues at the same learning rate and the same ceiling on the sharpness, without oscillation across the valley.

    Plain gradient descent only. Source: the constrained trajectory of Damian et al., arXiv 2209.15594.

    Args:
        setting: of the training that is forked, before the onset of its first spike.
        horizon: steps that the fork covers, at least 1.
        every: steps between two computations of the eigendirection, at least 1.
        level: the ceiling in units of 2/lr, above 0.
        anneal: steps of annealing after it, in steps of the training's own rate; 0: none.
    """
    return setting.but(intervention=Hold(horizon=horizon, every=every, level=level, anneal=anneal))


def displaced(
    setting: Setting,
    *,
    horizon: int,
    rank: int,
    rise: float,
    at: Landmark = "before_onset",
    factor: float = 1.0,
    definition: SpikeDefinition = SpikeDefinition(),
) -> Setting:
    """Is displaced along an eigendirection until the loss is {rise} times as large, and continues from there.

    Args:
        setting: of the training that is forked.
        horizon: the training's steps that are covered, at least 1.
        rank: of the eigendirection, in 1 to 12; 1 is that of the largest eigenvalue.
        rise: loss after the displacement over loss before it, above 1.
        at: where it forks from the training.
        factor: learning rate afterwards over the training's, in (0, 1].
        definition: of the spike before which it forks.
    """
    fork = Inject(at=at, rank=rank, rise=rise, horizon=horizon, factor=factor, definition=definition)
    return setting.but(intervention=fork)


def first_direction_only(setting: Setting, *, horizon: int, at: Landmark = "onset") -> Setting:
    """Moves along the first eigendirection only.

    Args:
        setting: of the training that is forked.
        horizon: steps that the fork covers, at least 1.
        at: where it forks from the training.
    """
    return setting.but(intervention=FreezeOutside(at=at, horizon=horizon))


def retuned(
    setting: Setting,
    *,
    horizon: int,
    numbers: tuple[tuple[str, float], ...] = (),
    empties_momentum: bool = False,
    at: Landmark = "before_onset",
) -> Setting:
    """Continues with other hyperparameters of its optimizer, or with its momentum set to zero.

    Args:
        setting: of the training that is forked; its optimizer is built in.
        horizon: steps that the fork covers, at least 1.
        numbers: hyperparameters that change, as pairs of a name and its new value.
        empties_momentum: whether the running mean of gradients restarts from 0.
        at: where it forks from the training.
    """
    fork = Retune(at=at, horizon=horizon, numbers=numbers, empties_momentum=empties_momentum)
    return setting.but(intervention=fork)


def exchanged(setting: Setting, *, other: tuple[tuple[str, Value], ...], **conditions: Any) -> Setting:
    """At its end, its component along its first eigendirection is set to that of another run of the same seed.

    Args:
        setting: the claim's.
        other: conditions in which the other run differs from this one, as pairs of a name and a value.
        conditions: of this run, where they differ from the setting's.
    """
    return setting.but(**conditions).but(intervention=Exchange(other=other))


def slower(setting: Setting, *, times: int, lengthened: bool = False) -> Setting:
    """The learning rate divided by {times}, from the first step on.

    Args:
        setting: the claim's.
        times: divides the learning rate, at least 1.
        lengthened: whether it takes `times` times as many steps, so that lr x steps is the same.
    """
    return setting.but(lr=setting.lr / times, steps=(times if lengthened else 1) * setting.steps)


def scaled(setting: Setting, *, condition: str, factor: float) -> Setting:
    """The condition {condition} multiplied by {factor}.

    Args:
        setting: the claim's.
        condition: the name of a condition that is a number, such as `init_scale`.
        factor: multiplies it. Where the condition is None it counts as 0.
    """
    return setting.but(**{condition: factor * (getattr(setting, condition) or 0.0)})


def plain_descent(setting: Setting) -> Setting:
    """Gradient descent at the same learning rate, whose threshold does not move."""
    return setting.but(optimizer="gd")


def changed(setting: Setting, **conditions: Any) -> Setting:
    """The same with other conditions.

    Args:
        setting: the claim's.
        conditions: as `Setting` names them.
    """
    return setting.but(**conditions)
