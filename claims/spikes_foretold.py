"""Which trainings spike before they end is told half-way, by how fast the sharpness rises.

At setting A's rate halved, trainings of 2,100 steps are about as often with a spike as without. The sharpness of each is
read up to half-way, when none has spiked yet; a straight line through it either crosses 2/lr before the training ends,
which foretells a spike, or does not.
"""

from functools import partial

from spikecheck import SETTING_A, Average, Claim, Control, SharpnessTrace, Variant, limits
from spikecheck.effects.losses import spiked
from spikecheck.effects.sharpening import a_tell_tale, foretold_by_a_stranger, foretold_rightly
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.preconditions import still_calm

REFERENCE = SETTING_A.but(lr=0.05, steps=2_100)
"""The length at which about half of the trainings spike; chosen by counting spikes, sharpness not looked at."""
READ = 0.5
"""Part of the training after which the sharpness is not looked at."""
LINE = 0.25
"""Part of the training that the line goes through."""
RIGHT = partial(foretold_rightly, line=LINE)
PREDICTS = Average(above=0.6)
"""Right in more than 80 of 100: right counts 1, wrong -1."""

claim = Claim(
    says="which trainings spike before they end is told half-way by how fast their sharpness rises",
    where="arXiv 2305.12133v1, abstract, read with Cohen et al., arXiv 2103.00065, section 3",
    rules="gd",
    kind="tendency",
    domain=Domain(REFERENCE, width=Ladder(20, 50), init_scale=Ladder(1.0, 0.5), activation=Ladder("tanh", "gelu")),
    probe=SharpnessTrace(),
    detects_spikes=False,
    applies=partial(still_calm, read=READ),
    measure=partial(RIGHT, read=READ),
    unit="foretold rightly (1) or wrongly (-1)",
    cutoffs={
        **limits(PREDICTS, above=(0.4, 0.8)),
        "line half: an eighth of the training": partial(foretold_rightly, read=READ, line=LINE / 2),
        "line twice: all of it until then": partial(foretold_rightly, read=READ, line=2 * LINE),
        "read after a third": Variant(applies=partial(still_calm, read=1 / 3), measure=partial(RIGHT, read=1 / 3)),
        "read after two thirds": Variant(applies=partial(still_calm, read=2 / 3), measure=partial(RIGHT, read=2 / 3)),
    },
    companions={"share of trainings that spike": spiked},
    predicts=PREDICTS,
    positive=Control(says="a sharpness that goes straight to above 2/lr or to below it, with noise", plant=a_tell_tale),
    reading="Runs that spike against runs that do not: an average, right in more than 80 of 100.",
    cannot_tell="Where nearly all trainings spike, or none, a stranger's sharpness tells as much, and the answer is invalid. "
    "A crossing after which no spike comes counts against the claim, and so does a spike that comes without one.",
    control=Control(
        says="foretold by another seed's sharpness", measure=partial(foretold_by_a_stranger, read=READ, line=LINE)
    ),
)
