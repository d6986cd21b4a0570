"""Ascent begins where the linearised update loses its stability, whatever the optimizer: no formula for its threshold is used.

The update, parameters and optimizer state together, is linearised at the step at which the loss first counts as spiking; the
effect is the largest modulus among its eigenvalues with a negative real part, along which deviations change sign from
step to step. (Flat directions have eigenvalues near +1, and negative curvature lifts some above it, at any time: they cause no
spike.)
"""

from functools import partial

from spikecheck import SETTING_A, SETTING_B, Claim, Control, Domain, Ladder, Prediction, Stability, described
from spikecheck.effects.ascent import multiplier, with_multiplier
from spikecheck.preconditions import recovers

AT_RECOVERY = described("The same where the spike is over.", multiplier, landmark="recovery")

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
    applies=recovers,
    measure=partial(multiplier, landmark="onset"),
    unit="multiplier across the valley at the onset",
    predicts=Prediction(above=1.0, of_seeds=0.8, level=0.95),
    positive=Control(
        says="a multiplier of 1.2 at the onset, put into the record",
        plant=partial(with_multiplier, landmark="onset", size=1.2),
    ),
    reading="A condition for every run: a law, so a share of seeds decides.",
    cannot_tell="At the onset the loss has tripled already: this late, a multiplier that is a tenth too large would pass. "
    "Overshoots of momentum triple the loss as well, and are no instability.",
    control=Control(says="the multiplier where the spike is over", measure=AT_RECOVERY),
)
