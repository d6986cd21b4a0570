"""The smaller the initialisation, the fewer directions the input weights condense on at first.

The source gives a number of directions, at most twice the activation's multiplicity, in the limit of small weights; finite
weights can only show the trend towards it. Weights ~ N(0, width^(-2 gamma)): a larger gamma means smaller weights.
"""

from functools import partial

from spikecheck import SETTING_A, Average, Claim, Condition, Control, Domain, Ladder, Trail, Variant, described, limits
from spikecheck.arms import changed
from spikecheck.effects import condensation as effects
from spikecheck.preconditions import all_fall

SIZES = {"gamma 0.5": 0.5, "gamma 1": 1.0, "gamma 1.5": 1.5, "gamma 2": 2.0, "gamma 3": 3.0}
STARTS = {n: described("From weights of standard deviation width^-gamma.", changed, gamma=g) for n, g in SIZES.items()}
MULTIPLICITY = {"tanh": 1, "xtanh": 2}  # order of the first derivative of the activation that does not vanish at 0
SMALLEST = partial(effects.directions_over_multiplicity, arm="gamma 3", multiplicity=MULTIPLICITY)
AT_FIRST = partial(effects.trend_at_the_start, sizes=SIZES)
TREND = partial(effects.direction_trend, sizes=SIZES)
PREDICTS = Average(below=-0.5)

claim = Claim(
    says="the smaller the initialisation, the fewer directions the input weights condense on in the initial stage",
    where="Zhou et al., arXiv 2105.11686, abstract",
    kind="tendency",
    domain=Domain(
        SETTING_A.but(width=50, gamma=0.5, steps=3_000),
        width=Ladder(50, 20, 100),
        lr=Ladder(0.1, 0.05),
        activation=Ladder("tanh", "xtanh"),
        target=Ladder("sin x", "sin x + sin 2x", "sin x + sin 4x"),
    ),
    arms=STARTS,
    probe=Trail(),
    detects_spikes=False,
    applies=all_fall,
    measure=TREND,
    unit="Spearman rho of gamma and number of directions",
    companions={"directions from the smallest weights over twice the multiplicity": SMALLEST},
    cutoffs={
        **limits(PREDICTS, below=(-0.25, -0.75)),
        "cosine's distance to 1 half: 0.975": partial(TREND, above=0.975),
        "cosine's distance to 1 twice: 0.9": partial(TREND, above=0.9),
        "fall of the loss half: 0.5 %": Variant(
            measure=partial(TREND, left=0.995), applies=partial(all_fall, left=0.995)
        ),
        "fall of the loss twice: 2 %": Variant(measure=partial(TREND, left=0.98), applies=partial(all_fall, left=0.98)),
    },
    predicts=PREDICTS,
    also=(Condition(measure=AT_FIRST, unit="Spearman rho before the first step", predicts=Average(at_least=-0.25)),),
    positive=Control(
        says="weights in fewer directions the smaller the initialisation", plant=partial(effects.condensing, arms=SIZES)
    ),
    reading="The source states a limit; a clear trend towards it is required, on average over seeds.",
    cannot_tell="A trend over five sizes does not show the limit, whose number is reported and not judged. "
    "Checkpoints are fifty steps apart, so the initial stage may end between two of them.",
    control=Control(
        says="the values of gamma permuted at random", measure=partial(effects.trend_permuted, sizes=SIZES)
    ),
)
