"""On real data good and bad generalisers capture low frequency alike (version 1; not in version 2's abstract).

Two nets fit the same few images, one from small input weights and one from ten times as large ones; on thousands of other
images the second generalises much worse. If low frequency is dominant and captured by both, their errors at low frequency on
test images differ little, and the difference lies at high frequency. The filter is a Gaussian over the inputs: the
paper gives widths for its own data only; a twentieth of the mean squared distance is the same whatever the inputs' scale.
"""

from functools import partial

from spikecheck import Average, Claim, Condition, Control, Directions, Equivalence, Setting, Variant, described, limits
from spikecheck.arms import changed, scaled
from spikecheck.effects.generalisation import alike, high_gap, low_dominance, low_error, low_gap
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.preconditions import fitted_labels_unlike

DIGITS = Setting(problem="few-digits", points=200, width=80, input_std=0.2, output_std=0.1, optimizer="adam", lr=0.02)
REFERENCE = DIGITS.but(steps=500)  # Adam, so that both nets fit: chosen by training and test losses alone
FASHION = REFERENCE.but(problem="fashion-mnist", width=40, input_std=0.05)  # more inputs, smaller weights
LARGE = "From input weights ten times as large, which saturate: the function depends on the first draw of the weights."
BAD = described(LARGE, scaled, condition="input_std", factor=10.0)
PREDICTS = Equivalence(at_least=-0.1, at_most=0.1)


def _dominates(width: float) -> tuple[Condition]:
    share = partial(low_dominance, width=width)
    return (Condition(measure=share, unit="low-frequency share of the labels", predicts=Average(above=0.5)),)


claim = Claim(
    says="low frequency dominates real data, and good and bad generalisers capture it alike",
    where="arXiv 2305.12133v1, abstract; left out of v2's",
    kind="tendency",
    domain=Domain(REFERENCE, width=Ladder(80, 40), lr=Ladder(0.02, 0.01), activation=Ladder("tanh", "relu")),
    costly=True,
    further={"fashion-mnist": FASHION},
    arms={"good": described("From small input weights.", changed), "bad": BAD},
    probe=Directions(at="end", pairs=1),
    detects_spikes=False,
    applies=partial(fitted_labels_unlike, below=0.1),
    measure=low_gap,
    unit="gap of relative low-frequency errors, bad minus good",
    also=_dominates(0.05),
    cutoffs={
        **limits(PREDICTS, at_least=(-0.05, -0.2), at_most=(0.05, 0.2)),
        "filter's variance half: 0.025": Variant(measure=partial(low_gap, width=0.025), also=_dominates(0.025)),
        "filter's variance twice: 0.1": Variant(measure=partial(low_gap, width=0.1), also=_dominates(0.1)),
        "training loss half: 0.05": Variant(applies=partial(fitted_labels_unlike, below=0.05)),
        "training loss twice: 0.2": Variant(applies=partial(fitted_labels_unlike, below=0.2)),
    },
    companions={"relative low-frequency error of the bad net": partial(low_error, arm="bad")},
    predicts=PREDICTS,
    positive=Control(says="the good net's outputs with noise, in place of the bad one's", plant=alike),
    quotes="low-frequency is often dominant and well-captured by both the training data and the test data. Then, a solution "
    "with good generalization and a solution with bad generalization can both learn low-frequency well",
    reading="Good and bad differ little: an equivalence, on average within a tenth of the labels' low-frequency part.",
    cannot_tell="How well low frequency is captured is reported and does not decide. "
    "Good and bad generalisers are only represented by nets from small and from large input weights, fitted to few images.",
    control=Control(says="the gap at high frequency", measure=high_gap),
)
