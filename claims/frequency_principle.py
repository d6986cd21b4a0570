"""Low frequencies are fitted first."""

from functools import partial

import numpy as np

from spikecheck import SETTING_B, Claim, Control, Domain, Ladder, Prediction, Trail, described, limits
from spikecheck.effects.frequency import low_fitted_first, low_fitted_sooner, right_half_later
from spikecheck.preconditions import every_run

SOONER = partial(low_fitted_sooner, low=1, high=3)
ORDER = "Log of the steps until sin 3x is fitted to half, over those until sin x is."
HALVES = "The same for sin 3x on the right half of the interval over sin 3x on the left one: one frequency, two places."
PLANTED = "sin x is fitted in 200 steps, sin 3x in 1,000."
PREDICTS = Prediction(above=float(np.log(2.0)), of_seeds=0.8, level=0.95)
"""Twice the steps: any two waves are fitted one before the other, and the sign alone is a coin's."""

claim = Claim(
    says="neural networks fit low frequencies first",
    where="Xu et al., arXiv 1901.06523, abstract",
    kind="tendency",
    domain=Domain(
        SETTING_B,
        width=Ladder(50, 20, 100),
        lr=Ladder(0.1, 0.05, 0.025),
        init_scale=Ladder(1.0, 0.5, 2.0),
        activation=Ladder("tanh", "gelu", "relu"),
    ),
    probe=Trail(),
    detects_spikes=False,
    applies=every_run,
    measure=described(ORDER, SOONER),
    unit="log ratio of steps, sin 3x over sin x",
    cutoffs={
        **limits(PREDICTS, above=(0.0, float(np.log(4.0)))),
        "what is left half: a quarter": partial(SOONER, left=0.25),
        "what is fitted half: a quarter": partial(SOONER, left=0.75),
    },
    predicts=PREDICTS,
    positive=Control(
        says="outputs that take sin x five times as fast as sin 3x",
        plant=described(PLANTED, low_fitted_first, low=1, high=3),
    ),
    reading="Said of networks in general, so a share of runs; first is read as in half of the steps.",
    cannot_tell="Two frequencies of one target stand for low and high. "
    "Checkpoints lie fifty steps apart, and what is fitted between two of them counts as fitted together.",
    control=Control(
        says="one frequency in two places: sin 3x on the right half over the left half",
        measure=described(HALVES, right_half_later, frequency=3),
    ),
)
