"""How much of what a spiking run gains in alignment the ceiling on its sharpness carries.

Three runs go on from the same weights over the same lr x steps: the spiking one; a calm twin at a quarter of the
rate, without spikes and without a ceiling that it meets; and a held twin, with the spiking run's rate and ceiling and
no oscillation. The total effect, spiking less calm, is the ceiling's, held less calm, and the direct one, spiking
less held. More than a half of the total is the ceiling's where (held - calm) - (spiking - calm)/2 is above 0.
"""

from functools import partial

from spikecheck import SETTING_A, Average, Claim, Condition, Control, condensing_domain, described, limits
from spikecheck.arms import displaced, held, twins
from spikecheck.effects.condensation import gain, mediated, turned
from spikecheck.preconditions import only_one_spikes

HORIZON = 3_000
HELD = "Goes on at the same learning rate and ceiling, without motion across the valley."
INJECTED = "A spike without a ceiling: displaced along v_1 to ten times the loss, then on at a quarter of the rate."
HALF = "The ceiling's part of the gain of mean |cos|, less half of the whole gain."
TURNED = "The held twin and the spiking run both end 0.05 better aligned than the calm one."
PREDICTS = Average(above=0.0, worth=0.01)
"""Half of what `condensation` calls too little, since half of the total is taken off."""
TOTAL = Average(above=0.0, worth=0.02)

claim = Claim(
    says="the ceiling on the sharpness carries more than half of what a spiking run gains in alignment",
    where="spikecheck's own, to arXiv 2305.12133v1, abstract: rather than simply controlling the value of lambda_max",
    kind="tendency",
    rules="gd",
    domain=condensing_domain(),
    beside={"setting A": SETTING_A},
    arms=twins(horizon=HORIZON) | {"held": described(HELD, held, horizon=HORIZON)},
    applies=only_one_spikes,
    measure=described(HALF, mediated, through="held", share=0.5),
    unit="ceiling's part of the gain less half of it",
    also=(Condition(measure=gain, unit="gain of mean |cos| over the calm twin", predicts=TOTAL),),
    cutoffs=limits(PREDICTS, worth=(0.005, 0.02)),
    companions={
        "ceiling's part: held less calm": partial(gain, run="held"),
        "direct part: spiking less held": partial(gain, twin="held"),
    },
    predicts=PREDICTS,
    positive=Control(
        says="a gain of 0.05 that is the ceiling's alone",
        plant=described(TURNED, turned, runs=("held", "spiking"), twin="calm", by=0.05),
    ),
    quotes="rather than simply controlling the value of lambda_max",
    reading="The words are about why spikes improve generalisation; here they are asked of condensation, as an average.",
    cannot_tell="The parts add up by definition, and the ceiling is imposed where the spiking run brings it about itself. "
    "Where the total is small a share of it means little, and then the claim is not decided.",
    control=Control(
        says="in the held twin's place a spike without a ceiling: injected, at a quarter of the rate",
        arms=twins(horizon=HORIZON)
        | {"held": described(INJECTED, displaced, rank=1, rise=10.0, horizon=HORIZON, factor=0.25)},
    ),
)
