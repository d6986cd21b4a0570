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
"""What version 1's "dominated" was taken to mean before any share was measured."""
CUTS = (QUARTER, HALF, "as claimed", TWICE, FOURFOLD)
TARGETS = ("sin x", "2 sin x", "sin x + 0.5 sin 2x", "sin x + sin 2x", "sin x + sin 3x")
BEYOND = "The share for J v_1 minus its mean for 16 random directions of the parameters, at the onset on 256 inputs."


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
    unit="low-frequency share minus that of random directions",
    also=(DOMINATED(measure=low_share),),
    cutoffs={**limits(PREDICTS, worth=(0.025, 0.1)), HALF: _cut(0.5), TWICE: _cut(2.0)},
    far_cutoffs={QUARTER: _cut(0.25), FOURFOLD: _cut(4.0)},
    predicts=PREDICTS,
    positive=Control(says="J v_1 mostly at low frequency, random directions half at high", plant=slow_among_random),
    quotes="The deviation in the first eigen direction [...] is found to be dominated by low-frequency.",
    reading="The source reports a finding: the average over runs decides, and must exceed that of random directions.",
    cannot_tell="Random directions weight all parameters alike, while training moves in few directions. "
    "Low frequency is defined by one cut-off, the target's slowest component.",
    control=Control(says="a random direction in place of the first eigendirection", measure=one_random),
    maps=(
        Map(x="target", x_values=TARGETS, y="cutoff", y_values=CUTS, at={"lr": 0.125}),
    ),  # at 0.1 spikes are too rare
)
