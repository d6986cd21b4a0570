"""The rapid descent after a spike's peak is mostly low frequencies leaving (version 2's weaker form of version 1's claim).

Version 1 says that the deviation along the first eigendirection is dominated by low frequency; version 2 that the descent is
primarily influenced by low-frequency components. "Primarily" is read as more than half. The deviation is from the function
that the same training has come to at the end of the window; the cut-off is the target's slowest component, sin x.
"""

from functools import partial

import numpy as np

from spikecheck import SETTING_B, Anatomy, Claim, Continue, Control, Prediction, Setting, Trial, paper_domain
from spikecheck.core.run import Array
from spikecheck.measures import spectrum

HORIZON = 200
AFTER = 20
"""Steps of the descent behind the peak: about as long as a spike takes to come down."""


def run(setting: Setting) -> Setting:
    """Goes on from the onset over the peak and down."""
    return setting.but(intervention=Continue(at="onset", horizon=HORIZON))


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


def shuffled(trial: Trial) -> float:
    """The same with the inputs in shuffled order, in which no function is of low frequency."""
    record = trial["run"].records["anatomy"]
    peak = int(np.argmax(record["loss"]))
    order = np.random.default_rng(trial.seed).permutation(record["outputs"].shape[1])
    deviation = (record["outputs"][:, :, 0] - record["outputs"][-1, :, 0])[:, order]
    before, after = (np.square(deviation[at]).sum() * spectrum(deviation[at]) for at in (peak, peak + AFTER))
    return _low_share(before, after, round(2 * trial.setting.interval) + 1)


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
        "cut-off half: sin x/2": partial(low_share, times=0.5),
        "cut-off twice: sin 2x": partial(low_share, times=2.0),
        "steps after the peak half: 10": partial(low_share, steps=AFTER // 2),
        "steps after the peak twice: 40": partial(low_share, steps=2 * AFTER),
    },
    predicts=Prediction(above=0.5, of_seeds=0.8, level=0.95),
    control=Control(says="the inputs in shuffled order, in which no function is of low frequency", measure=shuffled),
)
