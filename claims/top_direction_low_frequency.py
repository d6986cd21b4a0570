"""The deviation in the first eigendirection is dominated by low frequency (version 1 says so, version 2 no longer).

A small net changes its outputs smoothly whichever way its parameters move. So what the first eigendirection does is compared
with what random directions of the parameters do. The cut-off is the target's own slowest component, sin x.
"""

from functools import partial

from spikecheck import Average, Claim, Condition, Control, Directions, Variant, described, limits
from spikecheck.effects.frequency import beyond_random, low_share, one_random, slow_among_random
from spikecheck.harness.domain import Map
from spikecheck.harness.paper_settings import SETTING_B, paper_domain
from spikecheck.preconditions import spikes

PREDICTS = Average(above=0.0, worth=0.05)
HALF, TWICE = "cut-off half: sin x/2", "cut-off twice: sin 2x"
QUARTER, FOURFOLD = "cut-off quarter: sin x/4", "cut-off fourfold: sin 4x"
DOMINATED = partial(Condition, unit="low-frequency share of J v_1", predicts=Average(at_least=0.8))
"""The share that version 1's "dominated" was read as before any was measured."""
CUTS = (QUARTER, HALF, "as claimed", TWICE, FOURFOLD)
TARGETS = ("sin x", "2 sin x", "sin x + 0.5 sin 2x", "sin x + sin 2x", "sin x + sin 3x")
BEYOND = "The share for J v_1 less its mean for 16 random directions of the parameters, at the onset on 256 inputs."


def _cut(times: float) -> Variant:
    also = (DOMINATED(measure=partial(low_share, times=times)),)
    return Variant(measure=partial(beyond_random, times=times), also=also)


claim = Claim(
    says="the deviation in the first eigendirection is dominated by low frequency",
    where="arXiv 2305.12133v1, abstract; weakened in v2",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Directions(at="onset", pairs=12, random=16),
    applies=spikes,
    measure=described(BEYOND, beyond_random),
    unit="low-frequency share beyond random directions'",
    also=(DOMINATED(measure=low_share),),
    cutoffs={**limits(PREDICTS, worth=(0.025, 0.1)), HALF: _cut(0.5), TWICE: _cut(2.0)},
    far_cutoffs={QUARTER: _cut(0.25), FOURFOLD: _cut(4.0)},
    predicts=PREDICTS,
    positive=Control(says="J v_1 slow, random directions half fast", plant=slow_among_random),
    quotes="The deviation in the first eigen direction [...] is found to be dominated by low-frequency.",
    reading="That it is found so: an average over runs, and more so than of a random direction.",
    cannot_tell="Random directions weigh all parameters alike, while training moves in few directions. "
    "One cut-off, the target's slowest component, stands for low frequency.",
    control=Control(says="a random direction in place of the first eigendirection", measure=one_random),
    maps=(
        Map(x="target", x_values=TARGETS, y="cutoff", y_values=CUTS, at={"lr": 0.125}),
    ),  # at 0.1 spikes are too rare
)
