"""Low frequencies are fitted first."""

from functools import partial

import numpy as np

from spikecheck import SETTING_B, Claim, Control, Domain, Ladder, Prediction, Trail, described, limits
from spikecheck.effects.frequency import low_fitted_first, low_fitted_sooner, right_half_later
from spikecheck.preconditions import every_run

SOONER = partial(low_fitted_sooner, low=1, high=3)
ORDER = "Log of the steps until half of sin 3x is fitted, over the steps until half of sin x is."
HALVES = (
    "The same for sin 3x on the right half of the interval over sin 3x on the left half: one frequency, two places."
)
PLANTED = "sin x is fitted in 200 steps, sin 3x in 1,000."
PREDICTS = Prediction(above=float(np.log(2.0)), of_seeds=0.8, level=0.95)
"""Twice the steps: one of two waves is always fitted first, so the sign alone would be right by chance in half of the runs."""

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
        says="outputs that fit sin x five times as fast as sin 3x",
        plant=described(PLANTED, low_fitted_first, low=1, high=3),
    ),
    reading="Said of networks in general, so a share of runs decides; first means in less than half of the steps.",
    cannot_tell="Low and high are represented by two frequencies of one target only. "
    "Checkpoints are fifty steps apart, and waves fitted between the same two count as fitted at the same step.",
    control=Control(
        says="one frequency in two places: sin 3x on the right half over the left half",
        measure=described(HALVES, right_half_later, frequency=3),
    ),
)
