"""The rapid descent after a spike's peak is mostly low frequencies leaving (version 2's weaker form of version 1's claim).

Version 1 says that the deviation along the first eigendirection is dominated by low frequency; version 2 that the
descent is primarily influenced by low-frequency components. "Primarily" is read as more than half. The deviation is
from the function that the same training has come to at the end of the window; the cut-off is the target's slowest
component, sin x.
"""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_B,
    Anatomy,
    Claim,
    Continue,
    Control,
    Inject,
    Prediction,
    Setting,
    Trial,
    limits,
    paper_domain,
    with_record,
)
from spikecheck.core.run import Array
from spikecheck.measures import spectrum

HORIZON = 200
AFTER = 20
"""Steps of the descent behind the peak: about as long as a spike takes to come down."""


def run(setting: Setting) -> Setting:
    """Goes on from the onset over the peak and down."""
    return setting.but(intervention=Continue(at="onset", horizon=HORIZON))


def injected(setting: Setting) -> Setting:
    """Is displaced at the onset along the sixth eigendirection, to ten times the loss: no spike's deviation."""
    return setting.but(intervention=Inject(at="onset", rank=6, rise=10.0, horizon=HORIZON))


def comes_down(trial: Trial) -> bool:
    """The run spikes, the window reaches 60 steps behind the peak, and the deviation has shrunk by the step looked at."""
    record = trial["run"].records["anatomy"]
    if not trial.trunk.has_spike or len(record["loss"]) <= int(np.argmax(record["loss"])) + 3 * AFTER:
        return False
    before, after = _energies(trial, AFTER)
    return bool(after.sum() < before.sum())


def _energies(trial: Trial, steps: int) -> tuple[Array, Array]:
    """Energy of the deviation by cosine mode, at the peak and so many steps behind it."""
    record = trial["run"].records["anatomy"]
    peak = int(np.argmax(record["loss"]))
    deviation = record["outputs"][:, :, 0] - record["outputs"][-1, :, 0]
    before, after = (np.square(deviation[at]).sum() * spectrum(deviation[at]) for at in (peak, peak + steps))
    return before, after


def _low_share(before: Array, after: Array, modes: int) -> float:
    return float((before[:modes] - after[:modes]).sum() / (before - after).sum())


def low_share(trial: Trial, times: float = 1.0, steps: int = AFTER) -> float:
    """Share of the deviation's energy lost within 20 steps of the peak that was no faster than sin x, at most about 1."""
    return _low_share(*_energies(trial, steps), round(times * 2 * trial.setting.interval) + 1)


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


PREDICTS = Prediction(above=0.5, of_seeds=0.8, level=0.95)

claim = Claim(
    says="the rapid descent in loss is primarily influenced by low-frequency components",
    where="arXiv 2305.12133v2, abstract",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    arms={"run": run},
    probe=Anatomy(outputs=True),
    applies=comes_down,
    measure=low_share,
    unit="low-frequency share of what the descent takes",
    cutoffs={
        **limits(PREDICTS, above=(0.25, 0.75)),
        "cut-off half: sin x/2": partial(low_share, times=0.5),
        "cut-off twice: sin 2x": partial(low_share, times=2.0),
        "steps after the peak half: 10": partial(low_share, steps=AFTER // 2),
        "steps after the peak twice: 40": partial(low_share, steps=2 * AFTER),
    },
    predicts=PREDICTS,
    positive=Control(says="a deviation whose slow part leaves four times as fast", plant=low_goes_first),
    quotes="we explain the rapid descent in loss as being primarily influenced by low-frequency components",
    reading="A mechanism said of spikes in general: a share of runs, and primarily read as more than half.",
    cannot_tell="Whether the low frequencies leave since they are low or since they lie along sharp directions is not told. "
    "A deviation that does not come from a spike may leave in the same way, which the negative control asks.",
    control=Control(
        says="ten times the loss injected along the sixth eigendirection: a deviation that is no spike's",
        arms={"run": injected},
    ),
)
