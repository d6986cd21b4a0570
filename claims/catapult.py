"""Above 2/lambda_0 the loss first grows and then the training comes down in a flatter place: the catapult.

The reference is wide, as the source's theory wants it, at a rate whose product with the first sharpness lies between
2 and 4.
"""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_A,
    Claim,
    Condition,
    Control,
    Domain,
    Ladder,
    Prediction,
    Setting,
    SpikeDefinition,
    Trail,
    Trial,
    Variant,
    limits,
    with_loss,
    with_record,
)

EARLY = 100
"""Steps in which the loss has to rise; the source sees it within a number of steps of order log(width)."""


def slow(setting: Setting) -> Setting:
    """A quarter of the learning rate, below 2/lambda_0, for four times as many steps."""
    return setting.but(lr=setting.lr / 4, steps=4 * setting.steps)


def starts_above(trial: Trial) -> bool:
    """At the setting's learning rate the first sharpness lies between 2/lr and 4/lr."""
    return 2.0 < float(trial["run"].records["trail"]["sharpness"][0, 0]) * trial.setting.lr < 4.0


def flattened(trial: Trial) -> float:
    """Sharpness at the last checkpoint over that at the first."""
    sharpness = trial["run"].records["trail"]["sharpness"][:, 0]
    return float(sharpness[-1] / sharpness[0])


def rise(trial: Trial, early: int = EARLY) -> float:
    """Largest loss in the first 100 steps over the first."""
    loss = trial["run"].loss
    return float(np.max(loss[1:early]) / loss[0])


def left(trial: Trial) -> float:
    """Last loss over the first."""
    loss = trial["run"].loss
    return float(loss[-1] / loss[0])


def rises(early: int = EARLY) -> tuple[Condition, Condition]:
    """The loss grows at first, and the training converges: it ends lower than it began."""
    measure = partial(rise, early=early)
    return (
        Condition(measure=measure, unit="largest early loss over the first", predicts=Prediction(above=1.0)),
        Condition(measure=left, unit="last loss over the first", predicts=Prediction(below=1.0)),
    )


PREDICTS = Prediction(below=1.0, of_seeds=0.8, level=0.95)


def thrown_flatter(trial: Trial) -> Trial:
    """Twice the first loss at step 10, half of it at the end, and four fifths of the first sharpness there."""
    return _thrown(trial, 0.8)


def thrown_nowhere(trial: Trial) -> Trial:
    """The same losses, and at the end 1.05 times the first sharpness."""
    return _thrown(trial, 1.05)


def _thrown(trial: Trial, flatter: float) -> Trial:
    run = trial["run"]
    loss, sharpness = run.loss.copy(), run.records["trail"]["sharpness"].copy()
    loss[10], loss[-1], sharpness[-1] = 2.0 * loss[0], 0.5 * loss[0], flatter * sharpness[0]
    risen = with_loss(trial, "run", loss, SpikeDefinition())
    return with_record(risen, "run", "trail", sharpness=sharpness)


claim = Claim(
    says="for 2/lambda_0 < lr < lr_max the loss first grows, then converges to a flatter minimum",
    where="Lewkowycz et al., arXiv 2003.02218, abstract",
    rules="gd",
    kind="tendency",
    domain=Domain(
        SETTING_A.but(width=200, lr=0.05, steps=500),
        width=Ladder(200, 400, 100),
        lr=Ladder(0.05, 0.06, 0.07),
        activation=Ladder("tanh", "gelu", "relu"),
        target=Ladder("sin x", "sin x + sin 2x", "sin x + sin 4x"),
    ),
    probe=Trail(),
    detects_spikes=False,
    applies=starts_above,
    measure=flattened,
    unit="last sharpness over first",
    predicts=PREDICTS,
    also=rises(),
    cutoffs={
        **limits(PREDICTS, below=(0.9,)),
        "early steps half: 50": Variant(also=rises(early=50)),
        "early steps twice: 200": Variant(also=rises(early=200)),
    },
    positive=Control(says="a loss that rises at first and a sharpness that ends a fifth lower", plant=thrown_flatter),
    reading="Said of wide networks in general, so a share of runs.",
    cannot_tell="That it ends flatter does not show that the rise of the loss brought it there. "
    "Theory speaks of widths without bound, and this looks at a few hundred neurons.",
    control=Control(says="a quarter of the learning rate over the same lr x steps", arms={"run": slow}),
    also_not=(Control(says="a loss that rises at first and a sharpness that ends as it began", plant=thrown_nowhere),),
)
