"""The sharpness does not separate good from bad generalisers.

Nets from small to large initial weights are trained until all fit the training points. Of two whose test losses differ
clearly, how often does the flatter one generalise better? A share of one half is chance.
"""

from functools import partial

from spikecheck import Claim, Control, Directions, Domain, Equivalence, Ladder, Setting, Variant, described, limits
from spikecheck.arms import scaled
from spikecheck.effects.generalisation import flatter_is_better, handed_around, smaller_is_better
from spikecheck.preconditions import fitted_apart

NET = Setting(target="sin x + sin 2x", points=16, interval=1.0, width=60, input_std=0.5, output_std=0.1)
REFERENCE = NET.but(lr=0.03, steps=30_000)  # the number of steps was chosen so that nets fit, before any test loss
FAMILY = {"start x 1": 1.0, "start x 2": 2.0, "start x 4": 4.0, "start x 8": 8.0, "start x 12": 12.0}
WIDER = partial(described, "From weights so many times as large.", scaled, condition="init_scale")
NETS = tuple(FAMILY)
APART = 10.0  # nets whose test losses differ by a smaller factor are not compared
FIT = partial(fitted_apart, arms=NETS, apart=APART)  # a loss below 0.001, against a target of variance 1
PREDICTS = Equivalence(at_least=0.3, at_most=0.7)
"""From an AUC of 0.7 on discrimination is commonly called acceptable (Hosmer & Lemeshow); 0.3 is its mirror image."""

claim = Claim(
    says="the largest eigenvalue can not tell good from bad generalisation",
    where="arXiv 2305.12133v2, abstract; version 1 likewise",
    kind="tendency",
    domain=Domain(
        REFERENCE,
        width=Ladder(60, 40, 100),
        lr=Ladder(0.03, 0.02),
        activation=Ladder("tanh", "gelu"),
        target=Ladder("sin x + sin 2x", "sin x", "sin x + sin 3x"),
    ),
    arms={name: WIDER(factor=factor) for name, factor in FAMILY.items()},
    probe=Directions(at="end", pairs=1),
    detects_spikes=False,
    applies=partial(FIT, below=0.001),
    measure=partial(flatter_is_better, arms=NETS, apart=APART),
    unit="share of pairs in which the flatter net generalises better",
    cutoffs={
        **limits(PREDICTS, at_least=(0.4,), at_most=(0.6,)),
        "training loss half: 0.0005": Variant(applies=partial(FIT, below=0.0005)),
        "training loss twice: 0.002": Variant(applies=partial(FIT, below=0.002)),
        "log factor apart half: 3.2": partial(flatter_is_better, arms=NETS, apart=APART**0.5),
        "log factor apart twice: 100": partial(flatter_is_better, arms=NETS, apart=APART**2),
    },
    predicts=PREDICTS,
    positive=Control(
        says="sharpnesses permuted at random, which carry no information", plant=partial(handed_around, arms=NETS)
    ),
    quotes="lambda_max is a good measure of sharpness but not a good measure for generalization",
    reading="It carries little information: an equivalence, the mean AUC of the sharpness close to chance.",
    cannot_tell="The nets differ only in the size of their initial weights, one of many causes of bad generalisation. "
    "Another seed's sharpness would carry little information too, so the check does not show that it measures the net's own.",
    control=Control(
        says="the norm of the weights in place of the sharpness: it predicts which net is better",
        measure=partial(smaller_is_better, arms=NETS, apart=APART),
    ),
)
