"""Which trainings spike before they end can be predicted half-way from how fast the sharpness rises.

At half of setting A's learning rate about half of the trainings of 2,100 steps spike. The sharpness of each is used up to
half-way, before any spike. If a straight line through it crosses 2/lr before the training ends, a spike is predicted,
otherwise none.
"""

from functools import partial

from spikecheck import SETTING_A, Average, Claim, Control, SharpnessTrace, Variant, limits
from spikecheck.effects.losses import spiked
from spikecheck.effects.sharpening import a_tell_tale, foretold_by_a_stranger, foretold_rightly
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.preconditions import still_calm

REFERENCE = SETTING_A.but(lr=0.05, steps=2_100)
"""The length at which about half of the trainings spike; chosen by counting spikes, without the sharpness."""
READ = 0.5
"""Part of the training in which the sharpness is used."""
LINE = 0.25
"""Part of the training that the line is fitted to."""
RIGHT = partial(foretold_rightly, line=LINE)
PREDICTS = Average(above=0.6)
"""Right in more than 80 of 100: right counts 1, wrong -1."""

claim = Claim(
    says="which trainings spike before they end can be predicted half-way from how fast their sharpness rises",
    where="arXiv 2305.12133v1, abstract, read with Cohen et al., arXiv 2103.00065, section 3",
    rules="gd",
    kind="tendency",
    domain=Domain(REFERENCE, width=Ladder(20, 50), init_scale=Ladder(1.0, 0.5), activation=Ladder("tanh", "gelu")),
    probe=SharpnessTrace(),
    detects_spikes=False,
    applies=partial(still_calm, read=READ),
    measure=partial(RIGHT, read=READ),
    unit="predicted rightly (1) or wrongly (-1)",
    cutoffs={
        **limits(PREDICTS, above=(0.4, 0.8)),
        "line half: an eighth of the training": partial(foretold_rightly, read=READ, line=LINE / 2),
        "line twice: all of it until then": partial(foretold_rightly, read=READ, line=2 * LINE),
        "read after a third": Variant(applies=partial(still_calm, read=1 / 3), measure=partial(RIGHT, read=1 / 3)),
        "read after two thirds": Variant(applies=partial(still_calm, read=2 / 3), measure=partial(RIGHT, read=2 / 3)),
    },
    companions={"share of trainings that spike": spiked},
    predicts=PREDICTS,
    positive=Control(
        says="a sharpness that rises linearly to above 2/lr before a spike, else to below it", plant=a_tell_tale
    ),
    reading="Runs that spike against runs that do not: on average the prediction is right in more than 80 of 100.",
    cannot_tell="Where nearly all trainings spike, or none, another seed's sharpness predicts as well: the answer is invalid. "
    "A predicted spike that does not occur counts against the claim, and so does one that was not predicted.",
    control=Control(
        says="predicted from another seed's sharpness", measure=partial(foretold_by_a_stranger, read=READ, line=LINE)
    ),
)
