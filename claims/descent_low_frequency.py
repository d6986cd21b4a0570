"""The rapid descent after a spike's peak is mostly low frequencies leaving (version 2's weaker form of version 1's claim).

Version 1 says that the deviation along the first eigendirection is dominated by low frequency; version 2 that the
descent is primarily influenced by low-frequency components. "Primarily" is read as more than half. The deviation is
from the function that the same training has come to at the end of the window; the cut-off is the target's slowest
component, sin x.
"""

from functools import partial

from spikecheck import SETTING_B, Anatomy, Claim, Control, Prediction, described, limits, paper_domain
from spikecheck.arms import displaced, through
from spikecheck.effects.frequency import low_goes_first, low_share_lost
from spikecheck.preconditions import comes_down

AFTER = 20  # steps of the descent behind the peak: about as long as a spike takes to come down
OVER_THE_PEAK = "Goes on from the onset over the peak and down."
INJECTED = "Is displaced at the onset along the sixth eigendirection, to ten times the loss: no spike's deviation."
COMES_DOWN = (
    "The run spikes, the window reaches 60 steps behind the peak, and the deviation has shrunk by the step looked at."
)
PREDICTS = Prediction(above=0.5, of_seeds=0.8, level=0.95)

claim = Claim(
    says="the rapid descent in loss is primarily influenced by low-frequency components",
    where="arXiv 2305.12133v2, abstract",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    arms={"run": described(OVER_THE_PEAK, through, at="onset", horizon=200)},
    probe=Anatomy(outputs=True),
    applies=described(COMES_DOWN, comes_down, steps=AFTER, behind=3 * AFTER),
    measure=partial(low_share_lost, steps=AFTER),
    unit="low-frequency share of what the descent takes",
    cutoffs={
        **limits(PREDICTS, above=(0.25, 0.75)),
        "cut-off half: sin x/2": partial(low_share_lost, steps=AFTER, times=0.5),
        "cut-off twice: sin 2x": partial(low_share_lost, steps=AFTER, times=2.0),
        "steps after the peak half: 10": partial(low_share_lost, steps=AFTER // 2),
        "steps after the peak twice: 40": partial(low_share_lost, steps=2 * AFTER),
    },
    predicts=PREDICTS,
    positive=Control(says="a deviation whose slow part leaves four times as fast", plant=low_goes_first),
    quotes="we explain the rapid descent in loss as being primarily influenced by low-frequency components",
    reading="A mechanism said of spikes in general: a share of runs, and primarily read as more than half.",
    cannot_tell="Whether the low frequencies leave since they are low or since they lie along sharp directions is not told. "
    "A deviation that does not come from a spike may leave in the same way, which the negative control asks.",
    control=Control(
        says="ten times the loss injected along the sixth eigendirection: a deviation that is no spike's",
        arms={"run": described(INJECTED, displaced, at="onset", rank=6, rise=10.0, horizon=200)},
    ),
)
