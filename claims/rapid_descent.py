"""After a spike's peak the low-frequency part of the deviation decays faster than the high-frequency part.

The deviation is from the function that the same training has come to at the end of the window. A displacement along
an eigendirection shrinks by |1 - lr lambda| a step whatever its frequency, so frequency is told from curvature by the
control: the same loss, injected along a flatter direction.
"""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_B,
    Anatomy,
    Claim,
    Condition,
    Continue,
    Control,
    Inject,
    Prediction,
    Setting,
    Trial,
    paper_domain,
    with_record,
)
from spikecheck.measures import spectrum

HORIZON = 200
SOON, LATE = 20, 60


def run(setting: Setting) -> Setting:
    """Goes on from the onset over the peak and down."""
    return setting.but(intervention=Continue(at="onset", horizon=HORIZON))


def injected(setting: Setting) -> Setting:
    """Is displaced at the onset along the sixth eigendirection, to ten times the loss."""
    return setting.but(intervention=Inject(at="onset", rank=6, rise=10.0, horizon=HORIZON))


def spikes(trial: Trial) -> bool:
    """The run spikes, and the window reaches 60 steps behind the peak."""
    record = trial["run"].records["anatomy"]
    return trial.trunk.has_spike and len(record["loss"]) > int(np.argmax(record["loss"])) + 2 * LATE


def _advantage(trial: Trial, steps: int, times: float = 1.0) -> float:
    record = trial["run"].records["anatomy"]
    peak = int(np.argmax(record["loss"]))
    deviation = record["outputs"][:, :, 0] - record["outputs"][-1, :, 0]
    low_modes = round(times * 2 * trial.setting.interval) + 1
    before, after = (np.square(deviation[at]).sum() * spectrum(deviation[at]) for at in (peak, peak + steps))
    kept_low = after[:low_modes].sum() / before[:low_modes].sum()
    kept_high = after[low_modes:].sum() / before[low_modes:].sum()
    return float(np.log(kept_high / kept_low)) if min(kept_low, kept_high) > 0 else float("nan")


def soon(trial: Trial, times: float = 1.0, steps: int = SOON) -> float:
    """Log of the energy kept 20 steps after the peak: the deviation's part faster than sin x over the slower part."""
    return _advantage(trial, steps, times)


def late(trial: Trial) -> float:
    """The same, 60 steps after the peak."""
    return _advantage(trial, LATE)


def low_goes_first(trial: Trial) -> Trial:
    """The deviation from the last function loses its part slower than sin x in 10 steps, and the rest in 40."""
    record = trial["run"].records["anatomy"]
    outputs, peak = record["outputs"], int(np.argmax(record["loss"]))
    grid = (np.arange(outputs.shape[1]) + 0.5) / outputs.shape[1]
    low_modes = round(2 * trial.setting.interval) + 1
    low, high = np.cos(np.pi * (low_modes - 1) * grid), np.cos(np.pi * 3 * low_modes * grid)
    behind = np.maximum(np.arange(len(outputs)) - peak, 0)[:, None]
    deviation = np.exp(-behind / 10) * low + 0.3 * np.exp(-behind / 40) * high
    return with_record(trial, "run", "anatomy", outputs=outputs[-1] + deviation[:, :, None])


claim = Claim(
    says="the low-frequency deviation can be captured rapidly, hence the rapid descent",
    where="arXiv 2305.12133v1, abstract",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    arms={"run": run},
    probe=Anatomy(outputs=True),
    applies=spikes,
    measure=soon,
    unit="log ratio of energy kept, high over low",
    cutoffs={
        "cut-off half: sin x/2": partial(soon, times=0.5),
        "cut-off twice: sin 2x": partial(soon, times=2.0),
        "steps after the peak half: 10": partial(soon, steps=SOON // 2),
        "steps after the peak twice: 40": partial(soon, steps=2 * SOON),
    },
    predicts=Prediction(above=0.0, of_seeds=0.8, level=0.95),
    also=(Condition(measure=late, unit="the same after 60 steps", predicts=Prediction(above=0.0)),),
    positive=Control(says="a deviation whose slow part leaves four times as fast", plant=low_goes_first),
    quotes="Since low-frequency is captured very fast (frequency principle), the rapid descent is then observed.",
    reading="A mechanism said of spikes in general: a share of runs.",
    cannot_tell="Low frequencies lie along sharp directions here, so curvature and frequency are not told apart. "
    "The deviation is from where the same training has come to, not from a minimum.",
    control=Control(
        says="ten times the loss injected along the sixth eigendirection: a deviation that is not along the first",
        arms={"run": injected},
    ),
)
