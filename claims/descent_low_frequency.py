"""In the rapid descent after a spike's peak mostly low frequencies decay (version 2's weaker form of version 1's claim).

Version 1 says that the deviation along the first eigendirection is dominated by low frequency; version 2 that the
descent is primarily influenced by low-frequency components. "Primarily" is read as more than half. The deviation is
measured from the network's function at the end of the window; the cut-off is the target's slowest component, sin x.
"""

from functools import partial

from spikecheck import SETTING_B, Anatomy, Claim, Control, Prediction, described, limits, paper_domain
from spikecheck.arms import displaced, through
from spikecheck.effects.frequency import low_goes_first, low_share_lost
from spikecheck.preconditions import comes_down

AFTER = 20  # steps of the descent after the peak: about as long as a spike takes to fall
OVER_THE_PEAK = "Continues from the onset through the peak and the descent."
INJECTED = (
    "Is displaced at the onset along the sixth eigendirection to ten times the loss: a deviation without a spike."
)
COMES_DOWN = (
    "The run spikes, its record reaches 60 steps past the peak, and the deviation shrinks in 20 steps after it."
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
    unit="low-frequency share of the energy lost in the descent",
    cutoffs={
        **limits(PREDICTS, above=(0.25, 0.75)),
        "cut-off half: sin x/2": partial(low_share_lost, steps=AFTER, times=0.5),
        "cut-off twice: sin 2x": partial(low_share_lost, steps=AFTER, times=2.0),
        "steps after the peak half: 10": partial(low_share_lost, steps=AFTER // 2),
        "steps after the peak twice: 40": partial(low_share_lost, steps=2 * AFTER),
    },
    predicts=PREDICTS,
    positive=Control(
        says="a deviation whose low-frequency part decays four times as fast as the rest", plant=low_goes_first
    ),
    quotes="we explain the rapid descent in loss as being primarily influenced by low-frequency components",
    reading="A mechanism of spikes in general: a share of runs decides, and primarily means more than half.",
    cannot_tell="Low frequencies also lie along sharp directions, and this check cannot separate frequency from sharpness. "
    "A deviation that no spike caused may decay in the same way, which the negative control tests.",
    control=Control(
        says="a displacement along the sixth eigendirection to ten times the loss: a deviation that no spike caused",
        arms={"run": described(INJECTED, displaced, at="onset", rank=6, rise=10.0, horizon=200)},
    ),
)
