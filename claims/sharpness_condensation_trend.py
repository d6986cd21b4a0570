"""The sharpness and the condensation of the input weights follow a similar trend over training (version 2).

What both merely owe to time, rising as training goes on, is no relation of one to the other: it is taken out. And a
similar trend has a sign: more sharpness with more alignment.
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
    applies=described("The run spikes, and there is another to compare with.", spikes),
    measure=sharpness.alignment_trend,
    unit="Spearman rho given the step",
    companions={"Spearman rho with the common trend": sharpness.raw_alignment_trend},
    cutoffs=limits(PREDICTS, worth=(0.05, 0.2)),
    predicts=PREDICTS,
    positive=Control(
        says="a sharpness that follows the alignment, with noise of its size", plant=sharpness.sharper_when_aligned
    ),
    quotes="there is a correlation (similar trend) between lambda_max and condensation",
    reading="A correlation that their experiments show: an average over runs, signed, beyond what both owe to time.",
    cannot_tell="A relation that is nothing but a common rise over time would be missed. "
    "Alignment along an axis, such as biases that vanish beside weights, counts like any other.",
    control=Control(
        says="the sharpness of another seed's run at the same steps", measure=sharpness.alignment_trend_of_strangers
    ),
)
