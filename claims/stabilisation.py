"""A spike ends when training finds a flat region: the loss turns where the sharpness falls below its threshold.

A sharpness that was below the threshold all the time has not fallen below it. So the record has to begin above, in
the unstable region, and what counts is how far from the loss's peak, before it or behind, the sharpness comes down.
"""

import numpy as np

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
    limits,
    paper_domain,
    with_record,
)
from spikecheck.measures import fall

HORIZON = 60
"""Steps from the onset on: a spike rises and falls within about twenty."""
PREDICTS = Prediction(at_most=5.0, of_seeds=0.8, level=0.95)


def free(setting: Setting) -> Setting:
    """Goes on from the onset in all directions."""
    return setting.but(intervention=Continue(at="onset", horizon=HORIZON))


def frozen(setting: Setting) -> Setting:
    """Moves along the first eigendirection only, so that no flat region can be found."""
    return setting.but(intervention=FreezeOutside(at="onset", horizon=HORIZON))


def spikes(trial: Trial) -> bool:
    """The run spikes."""
    return trial.trunk.has_spike


def distance(trial: Trial) -> float:
    """Steps between the loss's peak and the sharpness's fall below 2/lr; 60 where it begins below, or never falls."""
    record = trial["run"].records["anatomy"]
    fallen = fall(record["sharpness"][:, 0], trial.threshold)
    return float(HORIZON) if fallen is None else float(abs(fallen - int(np.argmax(record["loss"]))))


def flat_at_the_peak(trial: Trial) -> Trial:
    """The sharpness is a tenth above its threshold up to two steps behind the loss's peak, and a fifth below from there."""
    record = trial["run"].records["anatomy"]
    sharpness, peak = record["sharpness"].copy(), int(np.argmax(record["loss"]))
    sharpness[:, 0] = trial.threshold * np.where(np.arange(len(sharpness)) <= max(peak, 1) + 1, 1.1, 0.8)
    return with_record(trial, "run", "anatomy", sharpness=sharpness)


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
    measure=distance,
    unit="steps between the peak and the fall of the sharpness",
    cutoffs=limits(PREDICTS, at_most=(2.0, 10.0)),
    predicts=PREDICTS,
    positive=Control(says="a sharpness that falls two steps behind the peak", plant=flat_at_the_peak),
    quotes="The training becomes stable when it finds a flat region.",
    reading="Said of training in general, so a share of spiking runs; when is read as within five steps.",
    cannot_tell="That loss and sharpness come down together does not show which brings the other down. "
    "Spikes of one setting last about as long, so another seed's sharpness, laid onset upon onset, would mostly pass as well.",
    control=Control(
        says="frozen at the onset in every direction but the first eigendirection: no flat region can be found",
        arms={"run": frozen},
    ),
)
