"""From a small initialisation the input weights first condense on few directions: twice the activation's multiplicity.

The multiplicity is the order of the first derivative of the activation that does not vanish at 0: tanh 1, x tanh x 2.
"""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_A,
    Claim,
    Control,
    Domain,
    Ladder,
    Prediction,
    Setting,
    Trail,
    Trial,
    Variant,
)
from spikecheck.measures import effective_ratio

MULTIPLICITY = {"tanh": 1, "xtanh": 2}
REFERENCE = SETTING_A.but(width=50, gamma=2.0, steps=3_000)
"""Weights ~ N(0, width^-4): far below width^-1, where training stays near its initialisation."""
FALLEN = 0.99
"""The initial stage ends where the loss has fallen by one per cent."""


def ordinary(setting: Setting) -> Setting:
    """The authors' ordinary initialisation, width^-1."""
    return setting.but(gamma=0.5)


def leaves_its_start(trial: Trial, left: float = FALLEN) -> bool:
    """The loss falls by one per cent at some time."""
    return bool((trial["run"].loss < left * trial["run"].loss[0]).any())


def directions(trial: Trial, above: float = 0.95, left: float = FALLEN) -> float:
    """Directions (cos > 0.95) of the input weights where the loss has fallen by 1 %, over twice the multiplicity."""
    run = trial["run"]
    end = int(np.argmax(run.loss < left * run.loss[0]))
    record = run.records["trail"]
    reached = np.flatnonzero(record["steps"] >= end)
    weights = record["input_weights"][reached[0] if len(reached) else -1]
    return effective_ratio(weights, above) * len(weights) / (2 * MULTIPLICITY[run.setting.activation])


def _fallen(left: float) -> Variant:
    return Variant(measure=partial(directions, left=left), applies=partial(leaves_its_start, left=left))


claim = Claim(
    says="from small initialisation the number of condensed directions is at most twice the activation's multiplicity",
    where="Zhou et al., arXiv 2105.11686, abstract",
    kind="law",
    domain=Domain(
        REFERENCE,
        width=Ladder(50, 20, 100),
        gamma=Ladder(2.0, 1.5, 3.0),
        activation=Ladder("tanh", "xtanh"),
        target=Ladder("sin x", "sin x + sin 2x", "sin x + sin 4x"),
    ),
    probe=Trail(),
    detects_spikes=False,
    applies=leaves_its_start,
    measure=directions,
    unit="directions over twice the multiplicity",
    cutoffs={
        "cosine's distance to 1 half: 0.975": partial(directions, above=0.975),
        "cosine's distance to 1 twice: 0.9": partial(directions, above=0.9),
        "fall of the loss half: 0.5 %": _fallen(0.995),
        "fall of the loss twice: 2 %": _fallen(0.98),
    },
    predicts=Prediction(at_most=1.0, of_seeds=0.8, level=0.95),
    control=Control(says="the authors' ordinary initialisation", arms={"run": ordinary}),
)
