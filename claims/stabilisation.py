"""A spike ends when training finds a flat region: the loss peaks where the sharpness falls below its threshold.

A sharpness that is below the threshold all the time does not fall below it. So the record has to begin above it, in the
unstable region, and the effect is the number of steps from the loss's peak to the fall of the sharpness, before or after.
"""

from functools import partial

from spikecheck import MNIST1D_BATCHES, SETTING_B, Anatomy, Claim, Control, Prediction, described, limits, paper_domain
from spikecheck.arms import first_direction_only, through
from spikecheck.effects.sharpness import flat_at_the_peak, peak_to_fall
from spikecheck.preconditions import spikes

HORIZON = 60
"""Steps from the onset on: a spike rises and falls within about twenty."""
FREE = described("Continues from the onset in all directions.", through, at="onset", horizon=HORIZON)
FROZEN = "Moves along the first eigendirection only, so that no flat region can be found."
PREDICTS = Prediction(at_most=5.0, of_seeds=0.8, level=0.95)

claim = Claim(
    says="the training becomes stable when it finds a flat region",
    where="arXiv 2305.12133v1, abstract",
    rules="threshold",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    further={"mnist1d, batches of 20": MNIST1D_BATCHES},
    arms={"run": FREE},
    probe=Anatomy(),
    applies=spikes,
    measure=partial(peak_to_fall, otherwise=float(HORIZON)),
    unit="steps between the peak and the fall of the sharpness",
    cutoffs=limits(PREDICTS, at_most=(2.0, 10.0)),
    predicts=PREDICTS,
    positive=Control(says="a sharpness that falls two steps after the peak", plant=flat_at_the_peak),
    quotes="The training becomes stable when it finds a flat region.",
    reading="Said of training in general, so a share of spiking runs decides; when means within five steps.",
    cannot_tell="That loss and sharpness fall together does not show which causes the other to fall. "
    "Spikes of one setting last about equally long, so another seed's sharpness, aligned at the onset, would mostly pass too.",
    control=Control(
        says="frozen at the onset in every direction but the first eigendirection: no flat region can be found",
        arms={"run": described(FROZEN, first_direction_only, at="onset", horizon=HORIZON)},
    ),
)
