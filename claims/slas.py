"""Before a spike, a smaller loss goes with a larger sharpness."""

from functools import partial

from spikecheck import SETTING_B, Anatomy, Claim, Control, Prediction, Variant, limits, paper_domain
from spikecheck.effects.curvature import lower_is_sharper, lower_is_sharper_after, lower_made_sharper
from spikecheck.preconditions import room_before_the_ascent

LONGEST = 200
"""Most steps before the ascent that are compared; fixed before any result was seen. docs/decisions.md has 20 to 400."""
SHORTEST = 20
PREDICTS = Prediction(at_most=-0.8, of_seeds=0.8, level=0.95)

claim = Claim(
    says="when the training enters a region with a smaller-loss-as-sharper structure, the loss spikes",
    where="arXiv 2305.12133v1, abstract (v2: lower-loss-as-sharper)",
    rules="threshold",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Anatomy(),
    applies=partial(room_before_the_ascent, shortest=SHORTEST),
    measure=partial(lower_is_sharper, longest=LONGEST),
    unit="Spearman rho of loss and sharpness",
    cutoffs={
        "window half: 100 steps": partial(lower_is_sharper, longest=100),
        "window twice: 400 steps": partial(lower_is_sharper, longest=400),
        **limits(PREDICTS, at_most=(-0.6, -0.9)),
        "shortest window half: 10 steps": Variant(applies=partial(room_before_the_ascent, shortest=SHORTEST // 2)),
        "shortest window twice: 40 steps": Variant(applies=partial(room_before_the_ascent, shortest=2 * SHORTEST)),
    },
    predicts=PREDICTS,
    positive=Control(says="a sharpness that falls with the loss, with noise", plant=lower_made_sharper),
    quotes="When the training enters a region, which has a smaller-loss-as-sharper (SLAS) structure, "
    "the training becomes unstable",
    reading="Said of training in general, so a share of runs decides; the source does not say how strongly smaller goes with "
    "sharper, and rho of -0.8 or less was fixed beforehand.",
    cannot_tell="A correlation over the steps before an ascent does not show that the structure causes it. "
    "The loss is measured along the trajectory only, and not in the landscape around it.",
    control=Control(
        says="the steps after the peak, while the loss falls",
        measure=partial(lower_is_sharper_after, longest=LONGEST),
    ),
)
