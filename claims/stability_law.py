"""Ascent begins where the linearised update loses its stability, whatever the optimizer: no formula for its threshold is used.

The update, parameters and optimizer state together, is linearised at the step at which the loss first counts as spiking; what
is asked for is the largest modulus among its eigenvalues with a negative real part, along which deviations change sign from
step to step. (Flat directions have eigenvalues near +1, and negative curvature lifts some above it, at any time: they make no
spike.)
"""

import numpy as np

from spikecheck import (
    SETTING_A,
    SETTING_B,
    Claim,
    Control,
    Domain,
    Ladder,
    Prediction,
    Stability,
    Trial,
    with_record,
)


def spikes_and_settles(trial: Trial) -> bool:
    """The run spikes, and recovers from its first spike."""
    return trial["run"].has_spike and trial["run"].spikes[0].recovery is not None


def _multiplier(trial: Trial, landmark: str) -> float:
    found = trial["run"].records["stability"].get(landmark, np.full(1, np.nan))
    return float(found[0])


def at_onset(trial: Trial) -> float:
    """Modulus of the multiplier across the valley at the onset of the first spike, at least 0."""
    return _multiplier(trial, "onset")


def at_recovery(trial: Trial) -> float:
    """The same where the spike is over."""
    return _multiplier(trial, "recovery")


def unstable_at_the_onset(trial: Trial) -> Trial:
    """The multiplier across the valley is 1.2 at the onset."""
    record = trial["run"].records["stability"]
    return with_record(trial, "run", "stability", onset=np.array([1.2, *record["onset"][1:]]))


claim = Claim(
    says="ascent starts when the spectral radius of the linearised update exceeds one",
    where="arXiv 2305.12133 for gradient descent; arXiv 2103.00065 and 2207.14484 for momentum and Adam",
    kind="law",
    domain=Domain(
        SETTING_A,
        optimizer=Ladder("gd", "heavy-ball", "nesterov", "rmsprop", "adam"),
        lr=Ladder(0.1, 0.05, 0.02),
        width=Ladder(20, 50),
    ),
    beside={"setting B": SETTING_B},
    probe=Stability(),
    applies=spikes_and_settles,
    measure=at_onset,
    unit="multiplier across the valley at the onset",
    predicts=Prediction(above=1.0, of_seeds=0.8, level=0.95),
    positive=Control(says="a multiplier of 1.2 at the onset, put into the record", plant=unstable_at_the_onset),
    reading="A condition for every run: a law, so a share of seeds.",
    cannot_tell="At the onset the loss has tripled already: asked so late, a multiplier that is a tenth too large would pass. "
    "Overshoots of momentum treble the loss as well, and are no instability.",
    control=Control(says="the multiplier where the spike is over", measure=at_recovery),
)
