"""After spikes the test loss improves through condensation, not through a smaller sharpness (hedged in version 1).

The twin has the same learning rate and the same sharpness but goes round the spikes: noise on its gradients keeps the motion
along the first eigendirection alive, so that it stabilises before it has grown. The twins part 300 steps before the onset,
since the sharpness crosses its threshold 150 to 320 steps before it.
"""

import numpy as np

from spikecheck import (
    SETTING_B,
    Claim,
    Condition,
    Continue,
    Control,
    Directions,
    Jitter,
    Prediction,
    Setting,
    SpikeDefinition,
    Trial,
    paper_domain,
)
from spikecheck.measures import alignment

HORIZON = 3_000
DEFINITION = SpikeDefinition(factor=10.0, lead=300)
"""Tenfold spikes: the noise forestalls these, and still lets smaller ones through."""
NOISE = 1e-3
"""Ten times the gradient noise that the plan found to remove all tenfold spikes; small against gradients at the edge."""


def spiking(setting: Setting) -> Setting:
    """Goes on through the spikes."""
    return setting.but(intervention=Continue(horizon=HORIZON, definition=DEFINITION))


def held(setting: Setting) -> Setting:
    """Goes on at the same learning rate and sharpness, with noise that forestalls the spikes."""
    return setting.but(intervention=Jitter(noise=NOISE, horizon=HORIZON, definition=DEFINITION))


def noisier(setting: Setting) -> Setting:
    """A second twin without spikes, with twice the noise."""
    return setting.but(intervention=Jitter(noise=2 * NOISE, horizon=HORIZON, definition=DEFINITION))


def only_one_spikes(trial: Trial) -> bool:
    """The run spikes, its twin does not, and their sharpnesses at the end are within 10 % of each other."""
    values = [trial[arm].records["directions"]["values"][0] for arm in ("spiking", "held")]
    return trial.trunk.has_spike and not trial["held"].has_spike and 1 / 1.1 <= values[0] / values[1] <= 1.1


def _test_loss(trial: Trial, arm: str) -> float:
    return float(np.square(trial[arm].records["directions"]["outputs"] - trial.problem().y_test).mean())


def improvement(trial: Trial) -> float:
    """Log of the test loss at the end: the spiking run's over that of its twin at the same sharpness."""
    return float(np.log(_test_loss(trial, "spiking") / _test_loss(trial, "held")))


def gain(trial: Trial) -> float:
    """Mean |cos| between input weights at the end: the spiking run's minus its twin's."""
    spiked, stayed = (alignment(trial[arm].snapshots["end"].input_weights) for arm in ("spiking", "held"))
    return spiked - stayed


claim = Claim(
    says="after a spike the test loss improves through condensation, not through a smaller largest eigenvalue",
    where="arXiv 2305.12133v1, abstract; left out of v2",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    arms={"spiking": spiking, "held": held},
    probe=Directions(at="end", pairs=1),
    definition=DEFINITION,
    applies=only_one_spikes,
    measure=improvement,
    unit="log ratio of test losses",
    predicts=Prediction(below=0.0, of_seeds=0.8, level=0.95),
    also=(Condition(measure=gain, unit="gain of mean |cos|", predicts=Prediction(above=0.0)),),
    control=Control(
        says="two twins at the same sharpness, neither of which spikes",
        arms={"spiking": noisier, "held": held},
    ),
)
