"""After spikes the test loss improves through condensation, not through a smaller sharpness (hedged in version 1).

The twin has the same learning rate and the same sharpness but no spike: it follows the trajectory that gradient descent would
take if it could not oscillate, at the edge. The twins part 300 steps before the onset, since the sharpness crosses its
threshold 150 to 320 steps before it.
"""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_B,
    Claim,
    Condition,
    Continue,
    Control,
    Directions,
    Hold,
    Jitter,
    Prediction,
    Setting,
    SpikeDefinition,
    Trial,
    Variant,
    paper_domain,
)
from spikecheck.measures import alignment

HORIZON = 3_000
DEFINITION = SpikeDefinition(lead=300)
NOISE = 1e-3
"""Ten times the gradient noise that the plan found to remove all tenfold spikes; small against gradients at the edge."""
ALIKE = 0.1
"""Relative difference of sharpnesses that count as equal."""


def spiking(setting: Setting) -> Setting:
    """Goes on through the spikes."""
    return setting.but(intervention=Continue(horizon=HORIZON, definition=DEFINITION))


def held(setting: Setting) -> Setting:
    """Goes on at the same learning rate and sharpness, without motion across the valley."""
    return setting.but(intervention=Hold(horizon=HORIZON, definition=DEFINITION))


def noisy(setting: Setting) -> Setting:
    """Goes on at the same learning rate and sharpness; noise forestalls most spikes."""
    return setting.but(intervention=Jitter(noise=NOISE, horizon=HORIZON, definition=DEFINITION))


def only_one_spikes(trial: Trial, alike: float = ALIKE) -> bool:
    """The run spikes, its twin does not, and their sharpnesses at the end are within 10 % of each other."""
    values = [trial[arm].records["directions"]["values"][0] for arm in ("spiking", "held")]
    equal = 1 / (1 + alike) <= values[0] / values[1] <= 1 + alike
    return trial.trunk.has_spike and not trial["held"].has_spike and bool(equal)


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
    cutoffs={
        "difference of equal sharpnesses half: 5 %": Variant(applies=partial(only_one_spikes, alike=ALIKE / 2)),
        "difference of equal sharpnesses twice: 20 %": Variant(applies=partial(only_one_spikes, alike=2 * ALIKE)),
    },
    companions={"gain of mean |cos|": gain},
    predicts=Prediction(below=0.0, of_seeds=0.8, level=0.95),
    also=(Condition(measure=gain, unit="gain of mean |cos|", predicts=Prediction(above=0.0)),),
    control=Control(
        says="two twins at the same sharpness that go round the spikes, one by noise and one held",
        arms={"spiking": noisy, "held": held},
    ),
)
