"""Adam spikes even where the curvature never changes: its second moment decays while gradients are small.

The model is linear and the loss quadratic, so the Hessian is one matrix for the whole run. The target, 100 sin 0.01x,
is a straight line to within 0.02 %. The first half of the run is left out: there Adam's momentum overshoots the minimum.
"""

from functools import partial

from spikecheck import Claim, Condition, Control, Domain, Ladder, Prediction, Setting, Trail, Variant, limits
from spikecheck.arms import plain_descent
from spikecheck.effects import losses
from spikecheck.preconditions import every_run

LINEAR = Setting(model="linear", target="100 sin 0.01x", points=20, interval=1.0, optimizer="adam", lr=0.01)
REFERENCE = LINEAR.but(steps=30_000)  # for the root of the second moment to decay a millionfold at beta2 = 0.999
PREDICTS = Prediction(at_least=1.0, of_seeds=0.8, level=0.95)
ABOVE, FELL = "gradient curvature over its threshold", "log fall of the gradient curvature"


def preceded(part: float = 0.5, within: int = 1_000) -> tuple[Condition, Condition]:
    """The curvature along the gradient exceeds its threshold before the peak and is lower after it."""
    before = partial(losses.curvature_before_the_peak, part=part, within=within)
    fall = partial(losses.curvature_fall_at_the_peak, part=part, within=within)
    high = Condition(measure=before, unit=ABOVE, predicts=Prediction(above=1.0))
    return high, Condition(measure=fall, unit=FELL, predicts=Prediction(above=0.0))


claim = Claim(
    says="Adam spikes at constant curvature, after the preconditioned curvature along the gradient has exceeded 38/lr",
    where="arXiv 2506.04805, abstract",
    kind="tendency",
    domain=Domain(
        REFERENCE,
        lr=Ladder(0.01, 0.02, 0.005),
        beta2=Ladder(0.999, 0.99),
        points=Ladder(20, 40),
        interval=Ladder(1.0, 2.0),
    ),
    costly=True,
    probe=Trail(),
    detects_spikes=False,
    applies=every_run,
    measure=losses.late_peak,
    unit="log10 of late peak over late median",
    predicts=PREDICTS,
    also=preceded(),
    cutoffs={
        **limits(PREDICTS, at_least=(0.5, 2.0)),
        "late part half: the last quarter": Variant(measure=partial(losses.late_peak, part=0.25), also=preceded(0.25)),
        "late part twice: the whole run": Variant(measure=partial(losses.late_peak, part=1.0), also=preceded(1.0)),
        "steps before the peak half: 500": Variant(also=preceded(within=500)),
        "steps before the peak twice: 2,000": Variant(also=preceded(within=2_000)),
    },
    positive=Control(says="a late spike and a high curvature before it, put into the record", plant=losses.late_spike),
    reading="The source says this of Adam in general, so a share of runs decides; a spike is a peak of ten times the median.",
    cannot_tell="A crossing before the peak and a fall after it do not show that one causes the other. "
    "The linear model's curvature is constant by construction, so the result does not extend to networks.",
    control=Control(says="gradient descent at the same learning rate", arms={"run": plain_descent}),
    also_not=(Control(says="the late losses of the same run, shifted in time", plant=losses.half_a_turn_late),),
)
