"""A spike ends when training finds a flat region: the loss turns where the sharpness falls below its threshold.

A sharpness that was below the threshold all the time has not fallen below it. So the record has to begin above, in
the unstable region, and what counts is how far from the loss's peak, before it or behind, the sharpness comes down.
"""

from functools import partial

from spikecheck import MNIST1D_BATCHES, SETTING_B, Anatomy, Claim, Control, Prediction, described, limits, paper_domain
from spikecheck.arms import first_direction_only, through
from spikecheck.effects.sharpness import flat_at_the_peak, peak_to_fall
from spikecheck.preconditions import spikes

HORIZON = 60
"""Steps from the onset on: a spike rises and falls within about twenty."""
FREE = described("Goes on from the onset in all directions.", through, at="onset", horizon=HORIZON)
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
    positive=Control(says="a sharpness that falls two steps behind the peak", plant=flat_at_the_peak),
    quotes="The training becomes stable when it finds a flat region.",
    reading="Said of training in general, so a share of spiking runs; when is read as within five steps.",
    cannot_tell="That loss and sharpness come down together does not show which brings the other down. "
    "Spikes of one setting last about as long, so another seed's sharpness, laid onset upon onset, would mostly pass as well.",
    control=Control(
        says="frozen at the onset in every direction but the first eigendirection: no flat region can be found",
        arms={"run": described(FROZEN, first_direction_only, at="onset", horizon=HORIZON)},
    ),
)
