"""The sharpness and the condensation of the input weights follow a similar trend over training (version 2).

That both rise as training continues is no relation of one to the other, so the effect of time is partialled out. A
similar trend has a sign: more sharpness goes with more alignment.
"""

from spikecheck import SETTING_B, Average, Claim, Control, Trail, described, limits, paper_domain
from spikecheck.effects import sharpness
from spikecheck.preconditions import spikes

PREDICTS = Average(above=0.0, worth=0.1)

claim = Claim(
    says="the largest eigenvalue and the condensation follow a similar trend over training",
    where="arXiv 2305.12133v2, abstract and section on condensation",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Trail(),
    applies=described("The run spikes, and another seed's run can be compared.", spikes),
    measure=sharpness.alignment_trend,
    unit="partial Spearman rho given the step",
    companions={"Spearman rho, common rise over time included": sharpness.raw_alignment_trend},
    cutoffs=limits(PREDICTS, worth=(0.05, 0.2)),
    predicts=PREDICTS,
    positive=Control(
        says="a sharpness that follows the alignment, with noise of the same size", plant=sharpness.sharper_when_aligned
    ),
    quotes="there is a correlation (similar trend) between lambda_max and condensation",
    reading="The source reports a correlation: its signed average over runs decides, the effect of time partialled out.",
    cannot_tell="A relation that consists only of a common rise over time would be missed. "
    "Alignment with a coordinate axis, as where biases are small beside the weights, counts like any other.",
    control=Control(
        says="the sharpness of another seed's run at the same steps", measure=sharpness.alignment_trend_of_strangers
    ),
)
