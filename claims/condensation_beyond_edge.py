"""At the same ceiling on the sharpness, the spikes themselves align the input weights.

The twin has the same seed, weights and learning rate, and its sharpness is held at 2/lr, where the spiking run's
hovers; but it does not oscillate. So both have the effect of the ceiling. In the spiking run the oscillation causes
the ceiling, and in the twin it is imposed: the difference is the direct effect of spikes at a given ceiling, and not
their total effect.
"""

from functools import partial

from spikecheck import SETTING_A, SETTING_B, Average, Claim, Control, Variant, condensing_domain, described, limits
from spikecheck.arms import held, through
from spikecheck.effects.condensation import fewer_directions, gain, turned, weighted_gain
from spikecheck.preconditions import only_one_spikes

HORIZON = 3_000  # as in `condensation`
PREDICTS = Average(above=0.0, worth=0.02)  # as in `condensation`
SPIKING = partial(through, horizon=HORIZON)
HELD = partial(held, horizon=HORIZON)
TURNED = "The spiking run ends with its twin's weights, turned to a mean |cos| 0.05 higher."

claim = Claim(
    says="at a given ceiling on the sharpness, loss spikes align the input weights",
    where="a reading of arXiv 2305.12133v1, abstract, as cause and effect",
    kind="tendency",
    rules="gd",
    domain=condensing_domain(),
    beside={"setting A": SETTING_A},
    further={"setting B, rate 0.15": SETTING_B.but(lr=0.15)},
    arms={"spiking": SPIKING, "held": HELD},
    applies=partial(only_one_spikes, twin="held"),
    measure=partial(gain, twin="held"),
    unit="gain of mean |cos| at an equal ceiling",
    cutoffs={
        **limits(PREDICTS, worth=(0.01, 0.04)),
        "ceiling 2 % lower": Variant(arms={"spiking": SPIKING, "held": partial(HELD, level=0.98)}),
        "ceiling 2 % higher": Variant(arms={"spiking": SPIKING, "held": partial(HELD, level=1.02)}),
    },
    companions={
        "gain of weighted mean |cos|": partial(weighted_gain, twin="held"),
        "fall of the effective ratio": partial(fewer_directions, twin="held"),
    },
    predicts=PREDICTS,
    positive=Control(
        says="the held twin's weights, turned to a mean |cos| 0.05 higher",
        plant=described(TURNED, turned, runs=("spiking",), twin="held", by=0.05),
    ),
    reading="The abstract says that spikes can facilitate condensation, and that this may be why they improve generalisation, "
    "rather than the control of lambda_max. That spikes align at equal lambda_max is our reading; an average decides.",
    cannot_tell="The twin's ceiling is imposed, so the check measures only the direct effect of spikes at a given ceiling. "
    "The spiking run's sharpness oscillates a little above its ceiling; the twin's is constant.",
    control=Control(
        says="two held twins, corrected every fourth and every fifth step: neither oscillates",
        arms={"spiking": partial(HELD, every=4), "held": HELD},
    ),
)
