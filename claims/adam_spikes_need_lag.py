"""Adam spikes because its second moment lags behind the gradients: if it follows faster, no spike occurs.

Where gradients have become small, the second moment is an average of the larger ones before, and decays at its own rate
beta2 whatever the gradients do. The fork with beta2 = 0.9 continues from the same state, 80 steps before the onset,
with the same bias-corrected second moment. A second moment without lag rises as soon as the gradient does.
"""

from functools import partial

from spikecheck import SETTING_A, Anatomy, Claim, Condition, Control, Domain, Ladder, Prediction, described, limits
from spikecheck.arms import retuned, through
from spikecheck.effects.adam import curvature_before_the_rise, spike_absent, without_its_spike
from spikecheck.preconditions import spikes

HORIZON = 300  # 80 steps before the onset, and most spikes are over 100 steps after it
FASTER = "Continues with beta2 = 0.9: a second moment that averages over ten steps."
EMPTIED = "Continues with its momentum set to zero and the same second moment."
PREDICTS = Prediction(at_least=1.0, of_seeds=0.8, level=0.95)
ABOVE = "curvature along the gradient over its threshold"

claim = Claim(
    says="an Adam spike needs a lagging second moment: with beta2 = 0.9 from before the onset on, none occurs",
    where="arXiv 2506.04805, abstract",
    rules="own",
    kind="tendency",
    domain=Domain(
        SETTING_A.but(optimizer="adam", lr=0.02, steps=6_000),  # as in `adam-threshold`
        width=Ladder(20, 50, 100),
        lr=Ladder(0.02, 0.01, 0.005),
        init_scale=Ladder(1.0, 0.5, 1.5),
        activation=Ladder("tanh", "gelu", "relu"),
        target=Ladder("sin x", "sin x + sin 2x"),
    ),
    arms={
        "spiking": partial(through, horizon=HORIZON),
        "faster": described(FASTER, retuned, horizon=HORIZON, numbers=(("beta2", 0.9),)),
    },
    probe=Anatomy(),
    applies=spikes,
    measure=partial(spike_absent, arm="faster"),
    unit="spike absent: 1, present: 0",
    cutoffs=limits(PREDICTS, of_seeds=(0.7, 0.9)),
    predicts=PREDICTS,
    also=(Condition(measure=curvature_before_the_rise, unit=ABOVE, predicts=Prediction(above=1.0)),),
    positive=Control(
        says="the unchanged fork's losses with their spike removed", plant=partial(without_its_spike, arm="faster")
    ),
    reading="The source says this of Adam's spikes in general, so a share of the spiking runs decides.",
    cannot_tell="A faster second moment is also smaller where gradients are small, so its steps are larger: "
    "a missing spike shows that the lag is necessary, and not that nothing else is. "
    "Forks start 80 steps before the onset, when the second moment may already have lagged for long.",
    control=Control(
        says="the same fork with its momentum set to zero, and no faster second moment",
        arms={"faster": described(EMPTIED, retuned, horizon=HORIZON, empties_momentum=True)},
    ),
)
