"""A spike ends when training finds a flat region.

A delay of at most 5 steps implies the plan's other half, that lr x lambda_max falls below 2 after the peak.
"""

from spikecheck import (
    MNIST1D_BATCHES,
    SETTING_B,
    Anatomy,
    Claim,
    Continue,
    Control,
    FreezeOutside,
    Prediction,
    Setting,
    Trial,
    paper_domain,
)
from spikecheck.measures import steps_to_flat

HORIZON = 60
"""Steps from the onset on: a spike rises and falls within about twenty."""


def free(setting: Setting) -> Setting:
    """Goes on from the onset in all directions."""
    return setting.but(intervention=Continue(at="onset", horizon=HORIZON))


def frozen(setting: Setting) -> Setting:
    """Moves along the first eigendirection only, so that no flat region can be found."""
    return setting.but(intervention=FreezeOutside(at="onset", horizon=HORIZON))


def spikes(trial: Trial) -> bool:
    """The run spikes."""
    return trial.trunk.has_spike


def delay(trial: Trial) -> float:
    """Steps from the loss's peak to sharpness below 2/lr; 60 where that never comes."""
    record = trial["run"].records["anatomy"]
    return steps_to_flat(record["loss"], record["sharpness"][:, 0], trial.threshold)


claim = Claim(
    says="the training becomes stable when it finds a flat region",
    where="arXiv 2305.12133v1, abstract",
    rules="threshold",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    further={"mnist1d, batches of 20": MNIST1D_BATCHES},
    arms={"run": free},
    probe=Anatomy(),
    applies=spikes,
    measure=delay,
    unit="steps from the peak to a flat region",
    predicts=Prediction(at_most=5.0, of_seeds=0.8, level=0.95),
    control=Control(
        says="frozen at the onset in every direction but the first eigendirection: no flat region can be found",
        arms={"run": frozen},
    ),
)
