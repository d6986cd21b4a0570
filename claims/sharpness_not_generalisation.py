"""The sharpness does not tell good from bad generalisers.

The same net from a small and from a large initialisation, trained until both fit the training points: one effect, so that the
control is judged by the same rule.
"""

from functools import partial

import numpy as np

from spikecheck import (
    Claim,
    Control,
    Directions,
    Domain,
    Ladder,
    Prediction,
    Setting,
    Trial,
    Variant,
)

REFERENCE = Setting(
    target="sin x + sin 2x",
    points=16,
    interval=1.0,
    width=60,
    input_std=0.5,
    output_std=0.1,
    lr=0.03,
    steps=30_000,
)
"""The first look's problem; the number of steps was chosen so that both nets fit, before any test loss was looked at."""
FITTED = 1e-3
"""Mean squared error on the training points, against a target of variance 1."""
ALIKE = 2.0
"""Sharpnesses within this factor of each other count as equal."""


def good(setting: Setting) -> Setting:
    """From small weights: a good generaliser."""
    return setting


def bad(setting: Setting) -> Setting:
    """From large weights: a bad one."""
    return setting.but(input_std=6.0, output_std=1.0)


def both_fit(trial: Trial, fitted: float = FITTED) -> bool:
    """Both end with a training loss below 0.001."""
    return max(float(trial[arm].loss[-1]) for arm in ("good", "bad")) < fitted


def _gap(good: Trial, bad: Trial, arm: str, alike: float) -> float:
    records = [good["good"].records["directions"], bad[arm].records["directions"]]
    sharpness = [record["values"][0] for record in records]
    if not 1 / alike <= sharpness[0] / sharpness[1] <= alike:
        return 0.0
    losses = [np.square(record["outputs"] - good.problem("good").y_test).mean() for record in records]
    return float(np.log10(losses[1] / losses[0]))


def gap(trial: Trial, alike: float = ALIKE) -> float:
    """log10 of the bad net's test loss over the good one's; 0 where their sharpnesses differ by more than a factor of 2."""
    return _gap(trial, trial, "bad", alike)


def two_good_ones(trial: Trial) -> float:
    """The same for two seeds of the good initialisation."""
    return _gap(trial, trial.other, "good", ALIKE) if trial.other is not None else float("nan")


claim = Claim(
    says="the largest eigenvalue can not tell good from bad generalisation",
    where="arXiv 2305.12133v1, abstract",
    kind="tendency",
    domain=Domain(
        REFERENCE,
        width=Ladder(60, 40, 100),
        lr=Ladder(0.03, 0.02),
        activation=Ladder("tanh", "gelu"),
        target=Ladder("sin x + sin 2x", "sin x", "sin x + sin 3x"),
    ),
    arms={"good": good, "bad": bad},
    probe=Directions(at="end", pairs=1),
    detects_spikes=False,
    applies=both_fit,
    measure=gap,
    unit="log10 of test losses at equal sharpness",
    cutoffs={
        "training loss half: 0.0005": Variant(applies=partial(both_fit, fitted=FITTED / 2)),
        "training loss twice: 0.002": Variant(applies=partial(both_fit, fitted=2 * FITTED)),
        "log factor of equal sharpness half: 1.4": partial(gap, alike=ALIKE**0.5),
        "log factor of equal sharpness twice: 4": partial(gap, alike=ALIKE**2),
    },
    predicts=Prediction(above=1.0, of_seeds=0.8, level=0.95),
    control=Control(says="two seeds of the same good initialisation: no test gap to explain", measure=two_good_ones),
)
