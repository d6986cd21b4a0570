"""A displacement along the first eigendirection grows exactly while the sharpness is above the stability threshold.

From the crossing on an ascent only grows, so it cannot show what happens below the threshold. Here a displacement too small
to change the loss noticeably is made while the sharpness is still below 2/lr, and followed through the crossing.
"""

from functools import partial

from spikecheck import SETTING_B, Anatomy, Claim, Control, Prediction, Variant, described, limits, paper_domain
from spikecheck.arms import displaced
from spikecheck.core.spike import SpikeDefinition
from spikecheck.effects.ascent import growing_above_only, two_sided_agreement
from spikecheck.preconditions import seen_on_both_sides

DEFINITION = SpikeDefinition(lead=300)  # the sharpness crosses 2/lr 150 to 320 steps before the onset
DISPLACED = "Is displaced along the first eigendirection by so little that the loss rises by a ten-thousandth."
FORK = described(DISPLACED, displaced, rank=1, rise=1.0001, horizon=300, definition=DEFINITION)
BAND = 0.01  # around the threshold, in which no steps count
FEWEST = 20  # steps on each side of the threshold, outside the band, from which the shares are computed
SECOND = "The same for the motion along the second eigendirection, along which nothing was displaced."
SEEN = partial(seen_on_both_sides, band=BAND, fewest=FEWEST)
PREDICTS = Prediction(at_least=0.95, of_seeds=0.8, level=0.95)


def _banded(band: float) -> Variant:
    return Variant(measure=partial(two_sided_agreement, band=band), applies=partial(SEEN, band=band))


claim = Claim(
    says="a displacement along the first eigendirection grows exactly while lr x lambda_max > 2",
    where="arXiv 2305.12133v1, abstract, with the classical stability threshold of gradient descent",
    rules="threshold",
    kind="law",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    arms={"run": FORK},
    probe=Anatomy(),
    definition=DEFINITION,
    until_divergence=True,
    applies=SEEN,
    measure=partial(two_sided_agreement, band=BAND),
    unit="mean share of agreeing steps, above and below the threshold",
    cutoffs={
        **limits(PREDICTS, at_least=(0.9, 0.975)),
        "band half: 0.5 %": _banded(BAND / 2),
        "band twice: 2 %": _banded(2 * BAND),
        "fewest steps half: 10": Variant(applies=partial(SEEN, fewest=FEWEST // 2)),
        "fewest steps twice: 40": Variant(applies=partial(SEEN, fewest=2 * FEWEST)),
    },
    predicts=PREDICTS,
    positive=Control(says="a motion that grows above 2/lr and decays below, with noise", plant=growing_above_only),
    quotes="loss exponentially increases once it is too sharp",
    reading="A threshold for every run: a law, so a share of seeds decides, and both sides of it count equally.",
    cannot_tell="Displacements are along the first eigendirection at the fork, which rotates a little in 300 steps. "
    "Large displacements, as at the peak of a spike, are left out.",
    control=Control(
        says="the motion along the second eigendirection",
        measure=described(SECOND, two_sided_agreement, band=BAND, pair=1),
    ),
)
