"""The further the learning rate overshoots the edge, the more the run condenses: a dose-response relation.

Correlating spikes' heights with gains over seeds would mix the dose with everything else that differs between seeds.
So one seed gets both doses: from the same weights, before the same spike, one twin continues at the full learning
rate and one at four fifths of it, over the same learning rate x steps. The doses differ both in their spikes and in
their ceilings on the sharpness.
"""

from functools import partial

from spikecheck import SETTING_A, SETTING_B, Average, Claim, Control, Domain, Ladder, described, limits
from spikecheck.arms import lower_rate, through
from spikecheck.effects.condensation import fewer_directions, gain, turned, weighted_gain
from spikecheck.preconditions import spikes

LOWER = partial(lower_rate, horizon=3_000)
STRONG = described("Continues at the full learning rate.", through, horizon=3_000)
MILD = described("Continues at four fifths of the learning rate, less far above threshold.", LOWER, factor=0.8)
QUARTER = described("A quarter of the learning rate: below the stability threshold.", LOWER, factor=0.25)
FIFTH = described("A fifth of the learning rate: below the stability threshold too.", LOWER, factor=0.2)
RESPONSE = "Mean |cos| between input weights at the end: the strong dose's minus the mild one's."
TURNED = "The strong dose ends with the mild one's weights, turned to a mean |cos| 0.05 higher."
PREDICTS = Average(above=0.0, worth=0.02)  # as in `condensation`

claim = Claim(
    says="condensation rises with how far the learning rate overshoots the edge of stability",
    where="spikecheck's own hypothesis, from exploring arXiv 2305.12133",
    kind="tendency",
    domain=Domain(
        SETTING_B.but(lr=0.125),
        width=Ladder(50, 20, 100),
        lr=Ladder(0.125, 0.1, 0.075),
        init_scale=Ladder(1.0, 0.5, 1.5),
        activation=Ladder("tanh", "gelu", "relu"),
        target=Ladder("sin x + sin 3x", "sin x + sin 2x", "sin x"),
    ),
    beside={"setting A, rate 0.125": SETTING_A.but(lr=0.125)},
    arms={"strong": STRONG, "mild": MILD},
    applies=described("The run spikes, late enough to fork twins before it.", spikes),
    measure=described(RESPONSE, gain, run="strong", twin="mild"),
    unit="difference of mean |cos|",
    cutoffs=limits(PREDICTS, worth=(0.01, 0.04)),
    companions={
        "difference of weighted mean |cos|": partial(weighted_gain, run="strong", twin="mild"),
        "difference of effective ratios": partial(fewer_directions, run="strong", twin="mild"),
    },
    predicts=PREDICTS,
    positive=Control(
        says="the mild dose's weights, turned to a mean |cos| 0.05 higher",
        plant=described(TURNED, turned, runs=("strong",), twin="mild", by=0.05),
    ),
    reading="A dose-response relation: the average difference between two doses on the same seeds decides.",
    cannot_tell="A larger rate means more overshoot and a lower ceiling on the sharpness; this check cannot separate them. "
    "Weights that all lie along one coordinate axis count as condensed, even if neurons share nothing else.",
    control=Control(
        says="the same two doses at a quarter of the learning rate, far below the threshold at the fork",
        arms={"strong": QUARTER, "mild": FIFTH},
    ),
)
