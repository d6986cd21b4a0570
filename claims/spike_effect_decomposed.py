"""How much of a spiking run's gain in alignment the ceiling on its sharpness explains.

Three runs continue from the same weights over the same lr x steps: the spiking one; a calm twin at a quarter of the
rate, which neither spikes nor reaches its ceiling; and a held twin, with the spiking run's rate and ceiling and no
oscillation. The total effect, spiking minus calm, is the ceiling's effect, held minus calm, plus the direct effect,
spiking minus held. The ceiling explains more than half of it where (held - calm) - (spiking - calm)/2 is above 0.
"""

from functools import partial

from spikecheck import SETTING_A, Average, Claim, Condition, Control, condensing_domain, described, limits
from spikecheck.arms import displaced, held, twins
from spikecheck.effects.condensation import gain, mediated, turned
from spikecheck.preconditions import only_one_spikes

HORIZON = 3_000
HELD = "Continues at the same learning rate and ceiling, without oscillation across the valley."
INJECTED = (
    "A spike without a ceiling: displaced along v_1 to ten times the loss, then continued at a quarter of the rate."
)
HALF = "The ceiling's part of the gain of mean |cos|, minus half of the whole gain."
TURNED = "The held twin and the spiking run both end with a mean |cos| 0.05 above the calm twin's."
PREDICTS = Average(above=0.0, worth=0.01)
"""Half of the smallest effect worth a claim in `condensation`, since half of the total is subtracted."""
TOTAL = Average(above=0.0, worth=0.02)

claim = Claim(
    says="the ceiling on the sharpness explains more than half of a spiking run's gain in alignment",
    where="spikecheck's own, on arXiv 2305.12133v1, abstract: rather than simply controlling the value of lambda_max",
    kind="tendency",
    rules="gd",
    domain=condensing_domain(),
    beside={"setting A": SETTING_A},
    arms=twins(horizon=HORIZON) | {"held": described(HELD, held, horizon=HORIZON)},
    applies=only_one_spikes,
    measure=described(HALF, mediated, through="held", share=0.5),
    unit="ceiling's part of the gain minus half of the gain",
    also=(Condition(measure=gain, unit="gain of mean |cos| over the calm twin", predicts=TOTAL),),
    cutoffs=limits(PREDICTS, worth=(0.005, 0.02)),
    companions={
        "ceiling's part: held minus calm": partial(gain, run="held"),
        "direct part: spiking minus held": partial(gain, twin="held"),
    },
    predicts=PREDICTS,
    positive=Control(
        says="a gain of 0.05 that is due to the ceiling alone",
        plant=described(TURNED, turned, runs=("held", "spiking"), twin="calm", by=0.05),
    ),
    quotes="rather than simply controlling the value of lambda_max",
    reading="The words are about why spikes improve generalisation; here they are tested for condensation, on average.",
    cannot_tell="The parts add up by definition, and the held twin's ceiling is imposed, not caused by oscillation. "
    "Where the total is small a share of it means little, so the claim also requires a total of some size.",
    control=Control(
        says="in place of the held twin, a run with an injected spike and no ceiling, at a quarter of the rate",
        arms=twins(horizon=HORIZON)
        | {"held": described(INJECTED, displaced, rank=1, rise=10.0, horizon=HORIZON, factor=0.25)},
    ),
)
