"""At the edge of stability the oscillation is just large enough to stop progressive sharpening.

At the bottom of the valley the sharpness rises by lr x alpha a step; a displacement x across the valley lowers it by
lr x beta x^2/2. The two balance where the mean of beta x^2 equals that of 2 alpha. The effect is their difference
over their sum: 0 where they balance, a third where one is twice the other, -1 where nothing oscillates.
"""

from functools import partial

from spikecheck import SETTING_B, Balance, Claim, Control, Equivalence, described, limits, paper_domain
from spikecheck.arms import held, through
from spikecheck.effects.sharpness import balance, balanced
from spikecheck.preconditions import spikes

HORIZON = 1_500
SETTLING = 300
"""Steps left out after the fork, which lies 80 steps before the first onset: the first spike is no balance yet."""
PREDICTS = Equivalence(at_least=-1 / 3, at_most=1 / 3)
"""Within a factor of two."""

claim = Claim(
    says="at the edge of stability oscillation and progressive sharpening balance: the mean of x^2 is 2 alpha/beta",
    where="Damian et al., arXiv 2209.15594, abstract and section 4",
    rules="gd",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    arms={"run": described("Continues at the edge, through its spikes.", through, horizon=HORIZON)},
    probe=Balance(every=5),
    applies=spikes,
    measure=partial(balance, settling=SETTLING),
    unit="relative excess of self-stabilisation over progressive sharpening",
    cutoffs={
        **limits(PREDICTS, at_least=(-0.2, -0.5), at_most=(0.2, 0.5)),
        "settling half: 150 steps": partial(balance, settling=SETTLING // 2),
        "settling twice: 600 steps": partial(balance, settling=2 * SETTLING),
    },
    predicts=PREDICTS,
    positive=Control(says="displacements that balance the sharpening, with noise of 30 %", plant=balanced),
    reading="Theory predicts a balance over time: an equivalence, on average within a factor of two.",
    cannot_tell="Theory is a third-order expansion around the bottom of the valley, and spikes leave its range. "
    "A balance over a window says nothing about a single spike.",
    control=Control(
        says="the held twin: at the same edge, without oscillation",
        arms={
            "run": described("Continues at the edge without oscillation, the ceiling imposed.", held, horizon=HORIZON)
        },
    ),
)
