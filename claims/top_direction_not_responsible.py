"""The deviation along the first eigendirection is not responsible for a bad generaliser's test loss.

To first order a move along v_1 changes the outputs along J v_1. So the share of the test residual's energy along J v_1 is the
most that any exchange of the v_1 component could remove, and one exchange is made: the bad net's component along its v_1 is
set to that of the good net of the same seed. The pairs are those of `sharpness-not-generalisation`, seed by seed.
"""

from functools import partial

from spikecheck import Average, Claim, Condition, Control, Directions, Setting, Variant, described, limits
from spikecheck.arms import changed, exchanged
from spikecheck.effects import generalisation as effects
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.preconditions import fitted_unlike

NET = Setting(target="sin x + sin 2x", points=16, interval=1.0, width=60, input_std=0.5, output_std=0.1)
SMALL, LARGE = {"input_std": 0.5, "output_std": 0.1}, {"input_std": 6.0, "output_std": 1.0}
BAD = described("The bad generaliser: from large weights.", changed, **LARGE)
GOOD = described("The good generaliser: from small weights.", changed)
MOVED = "The bad generaliser, its component along its first eigendirection set to the good one's."
EXCHANGED = described(MOVED, exchanged, other=tuple(SMALL.items()), **LARGE)
FIT = partial(fitted_unlike, bad="run", good="good")
PREDICTS = Average(at_most=0.05)

claim = Claim(
    says="the deviation in the first eigendirection is not responsible for the difference in generalisation",
    where="arXiv 2305.12133v1, section on generalisation",
    kind="tendency",
    domain=Domain(
        NET.but(lr=0.03, steps=30_000),
        width=Ladder(60, 40, 100),
        lr=Ladder(0.03, 0.02),
        activation=Ladder("tanh", "gelu"),
        target=Ladder("sin x + sin 2x", "sin x", "sin x + sin 3x"),
    ),
    arms={"run": BAD, "good": GOOD, "exchanged": EXCHANGED},
    probe=Directions(at="end", pairs=1),
    detects_spikes=False,
    applies=partial(FIT, below=0.001),
    measure=effects.residual_beyond_chance,
    unit="share of the test residual along J v_1 beyond chance",
    cutoffs={
        **limits(PREDICTS, at_most=(0.025, 0.1)),
        "training loss half: 0.0005": Variant(applies=partial(FIT, below=0.0005)),
        "training loss twice: 0.002": Variant(applies=partial(FIT, below=0.002)),
    },
    companions={"share of the test residual along J v_1": effects.residual_along_first},
    predicts=PREDICTS,
    also=(Condition(measure=effects.gap_closed, unit="share of the gap that an exchange closes", predicts=PREDICTS),),
    positive=Control(says="a test residual that is noise, which the exchange does not change", plant=effects.elsewhere),
    quotes="deviation in its corresponding eigen direction is not responsible for the generalization difference",
    reading="Not responsible means at most a twentieth on average, beyond the share of random low-frequency directions.",
    cannot_tell="Shares along J v_1 hold to first order, and a large exchange does not. "
    "Good and bad generalisers are only represented by nets from small and from large initial weights.",
    control=Control(says="J J'r, r the test residual, in place of J v_1", measure=effects.own_beyond_chance),
    also_not=(
        Control(says="a test residual along J v_1", plant=effects.along_first),
        Control(says="an exchange that closes the gap", plant=effects.exchange_closes),
    ),
)
