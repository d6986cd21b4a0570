"""With momentum the deviation along the first eigendirection starts to grow at another sharpness: the rule's own threshold.

Heavy ball: 2 (1 + beta)/lr. Nesterov: (2/lr) (1 + beta)/(1 + 2 beta).
"""

from functools import partial

from spikecheck import SETTING_A, Anatomy, Claim, Control, Domain, Ladder, Prediction, Variant, described, limits
from spikecheck.effects.ascent import turn_over_momentums, turn_over_plain, turning_at_its_threshold
from spikecheck.preconditions import turns

REFERENCE = SETTING_A.but(optimizer="heavy-ball", momentum=0.5, lr=0.15)
"""At this rate heavy ball's threshold is setting A's, 20. At momentum 0.9 the first spike is nearly always an overshoot."""
NESTEROV = SETTING_A.but(optimizer="nesterov", momentum=0.5, lr=0.075)  # the same threshold
GROWTH = 100.0
"""With momentum the first descent may overshoot, which counts as a spike. An instability grows exponentially and far."""
TURNS = "The motion along the first eigendirection decays, and then grows at least a hundredfold up to the onset."
PREDICTS = Prediction(at_least=0.95, at_most=1.05, of_seeds=0.8, level=0.95)

claim = Claim(
    says="with momentum the threshold is 2(1+beta)/lr for heavy ball and (2/lr)(1+beta)/(1+2 beta) for Nesterov",
    where="Cohen et al., arXiv 2103.00065, section 2",
    kind="law",
    domain=Domain(
        REFERENCE,
        width=Ladder(20, 50, 100),
        lr=Ladder(0.15, 0.12, 0.1),
        momentum=Ladder(0.5, 0.3, 0.7),
        init_scale=Ladder(1.0, 0.5, 1.5),
        activation=Ladder("tanh", "xtanh", "gelu"),
        target=Ladder("sin x", "sin x + sin 2x"),
    ),
    beside={"Nesterov": NESTEROV},
    probe=Anatomy(),
    applies=described(TURNS, turns, growth=GROWTH),
    until_divergence=True,
    measure=turn_over_momentums,
    unit="sharpness at the start of growth, over the threshold",
    cutoffs={
        **limits(PREDICTS, at_least=(0.9, 0.975), at_most=(1.025, 1.1)),
        "growth half: fiftyfold": Variant(applies=partial(turns, growth=GROWTH / 2)),
        "growth twice: two hundredfold": Variant(applies=partial(turns, growth=2 * GROWTH)),
    },
    predicts=PREDICTS,
    positive=Control(
        says="a motion that starts to grow where the sharpness crosses the threshold", plant=turning_at_its_threshold
    ),
    reading="A formula for every run: a law, so a share of seeds decides; 5 % is the error of locating the start of growth.",
    cannot_tell="The start of growth is located on a smoothed record, to within some steps. "
    "Runs in which the first descent overshoots are left out, and they may differ.",
    control=Control(
        says="the same sharpness over 2/lr, the threshold of plain gradient descent", measure=turn_over_plain
    ),
)
