"""The region in which a smaller loss is sharper is progressive sharpening: its rate predicts when the sharpness crosses 2/lr.

A straight line fitted to the steps before the sharpness passes nine tenths of 2/lr gives its rate, and the rate predicts the
number of steps to 2/lr. The effect compares this with the steps that it really took.
"""

from functools import partial

import numpy as np

from spikecheck import SETTING_B, Anatomy, Claim, Control, Equivalence, described, limits, paper_domain
from spikecheck.effects.sharpening import a_ramp, crossing_error, crossing_error_by_a_stranger
from spikecheck.preconditions import seen_to_cross

BELOW, WINDOW = 0.9, 20  # level where the rate is measured, over 2/lr, and steps that the line is fitted to
ERROR = "Log of the predicted over the real number of steps from nine tenths of 2/lr to the crossing; at most log 8 in size."
SEEN = "The run spikes, and at least 20 steps are recorded before its sharpness passes nine tenths of 2/lr."
PREDICTS = Equivalence(at_least=-float(np.log(2.0)), at_most=float(np.log(2.0)))
"""Within a factor of two."""

claim = Claim(
    says="the smaller-loss-as-sharper region is progressive sharpening: its rate predicts when the sharpness crosses 2/lr",
    where="arXiv 2305.12133v1, abstract, read with Cohen et al., arXiv 2103.00065, section 3",
    rules="gd",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Anatomy(),
    applies=described(SEEN, seen_to_cross, window=WINDOW, below=BELOW),
    measure=described(ERROR, crossing_error, window=WINDOW, below=BELOW),
    unit="log ratio of predicted to real steps",
    cutoffs={
        **limits(PREDICTS, at_least=(-0.405,), at_most=(0.405,)),
        "line half: 10 steps": partial(crossing_error, window=WINDOW // 2, below=BELOW),
        "line twice: 40 steps": partial(crossing_error, window=2 * WINDOW, below=BELOW),
        "passed at 0.95": partial(crossing_error, window=WINDOW, below=0.95),
        "passed at 0.8": partial(crossing_error, window=WINDOW, below=0.8),
    },
    predicts=PREDICTS,
    positive=Control(says="a sharpness that rises linearly, with noise of 0.2 %", plant=a_ramp),
    reading="A rate that predicts the time: an equivalence, on average within a factor of two.",
    cannot_tell="Only runs that cross and spike count; `spikes-foretold` also covers runs that do not spike. "
    "A straight line through twenty steps ignores any later change of the rate.",
    control=Control(
        says="the rate of another seed's run, with the two onsets aligned",
        measure=partial(crossing_error_by_a_stranger, window=WINDOW, below=BELOW),
    ),
)
