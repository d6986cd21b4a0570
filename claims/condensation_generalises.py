"""After spikes the test loss is lower through condensation, not through a smaller sharpness (hedged in version 1).

Sixteen points of sin x + sin 3x can be fitted with a large test loss, so runs can differ in it. Both runs continue until
they fit, one through its spikes and one held at the same ceiling on the sharpness without spikes. Then both are annealed at
a tenth of the rate, so that neither is measured in the middle of an oscillation, and only pairs that fit are compared.
"""

from functools import partial

from spikecheck import SETTING_B, Average, Claim, Condition, Control, Directions, Variant, described, limits
from spikecheck.arms import held, through
from spikecheck.effects.condensation import gain
from spikecheck.effects.generalisation import better_and_turned, heldout_loss_ratio, sharpness_ratio
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.preconditions import fitted_after_spikes

SPIKING = described("Continues through the spikes, then is annealed.", through, horizon=8_000, anneal=1_000)
SAME_CEILING = "Continues at the same learning rate and ceiling without oscillation, then is annealed."
HELD = described(SAME_CEILING, held, horizon=8_000, anneal=1_000)
PREDICTS = Average(below=0.0, worth=0.1)  # a test loss less than a tenth lower is no improvement worth a claim
GAINS = Average(above=0.0, worth=0.02)  # as in `condensation`

claim = Claim(
    says="after spikes the test loss improves through condensation, not through a smaller largest eigenvalue",
    where="arXiv 2305.12133v1, abstract; left out of v2",
    kind="tendency",
    rules="gd",
    domain=Domain(
        SETTING_B.but(points=16),
        width=Ladder(50, 100),
        lr=Ladder(0.1, 0.125),
        points=Ladder(16, 20),
        activation=Ladder("tanh", "gelu"),
    ),
    costly=True,
    arms={"spiking": SPIKING, "held": HELD},
    probe=Directions(at="end", pairs=1),
    applies=partial(fitted_after_spikes, below=0.01),
    measure=heldout_loss_ratio,
    unit="log ratio of test losses",
    also=(Condition(measure=partial(gain, twin="held"), unit="gain of mean |cos|", predicts=GAINS),),
    cutoffs={
        **limits(PREDICTS, worth=(0.05, 0.2)),
        "training loss half: 0.005": Variant(applies=partial(fitted_after_spikes, below=0.005)),
        "training loss twice: 0.02": Variant(applies=partial(fitted_after_spikes, below=0.02)),
    },
    companions={"log ratio of sharpnesses": sharpness_ratio},
    predicts=PREDICTS,
    positive=Control(says="test errors a fifth smaller, and a mean |cos| 0.05 higher", plant=better_and_turned),
    quotes="which may be the underlying mechanism for why the loss spike improves generalization, "
    "rather than simply controlling the value of lambda_max",
    reading="It may be why spikes improve generalisation: at an equal ceiling the test loss must be lower on average, and the "
    "alignment higher on average on the same seeds.",
    cannot_tell="That both occur together on average does not show that condensation lowers the test loss. "
    "Generalisation is measured on one small problem only.",
    control=Control(
        says="two held twins, corrected every fourth and every fifth step: neither spikes",
        arms={"spiking": partial(HELD, every=4), "held": HELD},
    ),
)
