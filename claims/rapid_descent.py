"""After a spike's peak the low-frequency part of the deviation decays faster than the high-frequency part.

The deviation is measured from the network's function at the end of the window. A displacement along an eigendirection
shrinks by |1 - lr lambda| a step whatever its frequency, so the control separates frequency from curvature: a
displacement along a flatter direction.
"""

from functools import partial

from spikecheck import SETTING_B, Anatomy, Claim, Condition, Control, Prediction, described, paper_domain
from spikecheck.arms import displaced, through
from spikecheck.effects.frequency import high_kept_longer, low_goes_first
from spikecheck.preconditions import window_reaches

HORIZON = 200
SOON, LATE = 20, 60
OVER_THE_PEAK = "Continues from the onset through the peak and the descent."
INJECTED = "Is displaced at the onset along the sixth eigendirection to ten times the loss."
REACHES = "The run spikes, and its record reaches 120 steps past the peak."
KEPT_LATE = partial(high_kept_longer, steps=LATE)

claim = Claim(
    says="the low-frequency deviation can be captured rapidly, hence the rapid descent",
    where="arXiv 2305.12133v1, abstract",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    arms={"run": described(OVER_THE_PEAK, through, at="onset", horizon=HORIZON)},
    probe=Anatomy(outputs=True),
    applies=described(REACHES, window_reaches, behind=2 * LATE),
    measure=partial(high_kept_longer, steps=SOON),
    unit="log ratio of energy left, high over low frequencies",
    cutoffs={
        "cut-off half: sin x/2": partial(high_kept_longer, steps=SOON, times=0.5),
        "cut-off twice: sin 2x": partial(high_kept_longer, steps=SOON, times=2.0),
        "steps after the peak half: 10": partial(high_kept_longer, steps=SOON // 2),
        "steps after the peak twice: 40": partial(high_kept_longer, steps=2 * SOON),
    },
    predicts=Prediction(above=0.0, of_seeds=0.8, level=0.95),
    also=(Condition(measure=KEPT_LATE, unit="the same after 60 steps", predicts=Prediction(above=0.0)),),
    positive=Control(
        says="a deviation whose low-frequency part decays four times as fast as the rest", plant=low_goes_first
    ),
    quotes="Since low-frequency is captured very fast (frequency principle), the rapid descent is then observed.",
    reading="A mechanism of spikes in general: a share of runs decides.",
    cannot_tell="Low frequencies lie along sharp directions here, so this check cannot separate frequency from curvature. "
    "The deviation is measured from the end of the window, not from a minimum.",
    control=Control(
        says="a displacement along the sixth eigendirection to ten times the loss: a deviation that is not along the first",
        arms={"run": described(INJECTED, displaced, at="onset", rank=6, rise=10.0, horizon=HORIZON)},
    ),
)
