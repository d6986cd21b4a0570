"""At a learning rate above 2/lambda_0 the loss first grows, then training converges to a flatter minimum: the catapult.

The reference is wide, as the source's theory assumes, and its learning rate times the first sharpness lies between 2 and 4.
"""

from functools import partial

from spikecheck import SETTING_A, Claim, Condition, Control, Prediction, Trail, Variant, described, limits
from spikecheck.arms import slower
from spikecheck.effects.losses import early_rise, loss_left
from spikecheck.effects.sharpness import flattened, thrown
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.preconditions import starts_between

PREDICTS = Prediction(below=1.0, of_seeds=0.8, level=0.95)
SLOW = "A quarter of the learning rate, below 2/lambda_0, for four times as many steps."
NOWHERE = described("The same losses, and at the end 1.05 times the first sharpness.", thrown, flatter=1.05)


def rises(early: int) -> tuple[Condition, Condition]:
    """The loss grows within `early` steps, and the training converges: its last loss is below its first."""
    rise = partial(early_rise, early=early)
    up = Condition(measure=rise, unit="largest early loss over the first", predicts=Prediction(above=1.0))
    return up, Condition(measure=loss_left, unit="last loss over the first", predicts=Prediction(below=1.0))


claim = Claim(
    says="for 2/lambda_0 < lr < lr_max the loss first grows, then converges to a flatter minimum",
    where="Lewkowycz et al., arXiv 2003.02218, abstract",
    rules="gd",
    kind="tendency",
    domain=Domain(
        SETTING_A.but(width=200, lr=0.05, steps=500),
        width=Ladder(200, 400, 100),
        lr=Ladder(0.05, 0.06, 0.07),
        activation=Ladder("tanh", "gelu", "relu"),
        target=Ladder("sin x", "sin x + sin 2x", "sin x + sin 4x"),
    ),
    probe=Trail(),
    detects_spikes=False,
    applies=partial(starts_between, lowest=2.0, highest=4.0),
    measure=flattened,
    unit="last sharpness over first",
    predicts=PREDICTS,
    also=rises(early=100),  # the source sees it within a number of steps of order log(width)
    cutoffs={
        **limits(PREDICTS, below=(0.9,)),
        "early steps half: 50": Variant(also=rises(early=50)),
        "early steps twice: 200": Variant(also=rises(early=200)),
    },
    positive=Control(says="a loss that rises at first and a sharpness that ends a fifth lower", plant=thrown),
    reading="The source says this of wide networks in general, so a share of runs decides.",
    cannot_tell="A flatter end does not show that the rise of the loss caused it. "
    "The theory is for infinite width, and these networks have a few hundred neurons.",
    control=Control(
        says="a quarter of the learning rate over the same lr x steps",
        arms={"run": described(SLOW, slower, times=4, lengthened=True)},
    ),
    also_not=(Control(says="a loss that rises at first and a sharpness that ends as it began", plant=NOWHERE),),
)
