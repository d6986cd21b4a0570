"""The flatter the eigendirection, the higher the frequency of its deviation."""

from functools import partial

from spikecheck import SETTING_B, Claim, Control, Directions, Prediction, limits, paper_domain
from spikecheck.effects.frequency import ordered, rank_and_frequency, rank_and_frequency_permuted
from spikecheck.preconditions import spikes

PAIRS = 12
PREDICTS = Prediction(at_least=0.5, of_seeds=0.8, level=0.95)

claim = Claim(
    says="the deviation in flatter eigendirections is of higher frequency",
    where="arXiv 2305.12133v1, section on frequency",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Directions(at="onset", pairs=PAIRS),
    applies=spikes,
    measure=partial(rank_and_frequency, pairs=PAIRS),
    unit="Spearman rho of rank and spectral centroid",
    cutoffs={
        "ranks half: 1 to 6": partial(rank_and_frequency, pairs=PAIRS // 2),
        **limits(PREDICTS, at_least=(0.25, 0.75)),
    },
    predicts=PREDICTS,
    positive=Control(
        says="deviations whose frequency rises with their rank, with noise", plant=partial(ordered, pairs=PAIRS)
    ),
    reading="Said of eigendirections in general, so a share of runs decides; rho of 0.5 was fixed beforehand.",
    cannot_tell="The order of the twelve sharpest directions says nothing about the hundreds of flatter ones. "
    "Directions of close eigenvalues mix, so that their order means little.",
    control=Control(says="the ranks permuted at random", measure=partial(rank_and_frequency_permuted, pairs=PAIRS)),
)
