"""Full-batch gradient descent: the sharpness rises to 2/lr and then hovers just above it."""

import numpy as np

from spikecheck import SETTING_B, Claim, Control, Prediction, Setting, SharpnessTrace, Trial, paper_domain


def slow(setting: Setting) -> Setting:
    """A quarter of the learning rate for as many steps: the sharpness has no time to rise to its threshold."""
    return setting.but(lr=setting.lr / 4)


def trained(trial: Trial) -> bool:
    """The loss ends below half of what it began with."""
    return bool(trial.trunk.loss[-1] < trial.trunk.loss[0] / 2)


def hovering(trial: Trial) -> float:
    """Median over the second half of the run of lr x sharpness / 2; 1 is the edge."""
    run = trial["run"]
    record = run.records["sharpness"]
    late = record["steps"] >= run.setting.steps / 2
    return float(np.median(record["sharpness"][late, 0]) * run.setting.lr / 2)


claim = Claim(
    says="gradient descent drives the sharpness to 2/lr, where it hovers just above",
    where="Cohen et al., arXiv 2103.00065, abstract",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=SharpnessTrace(),
    detects_spikes=False,
    applies=trained,
    measure=hovering,
    unit="median late sharpness over 2/lr",
    predicts=Prediction(at_least=0.95, at_most=1.1, of_seeds=0.8, level=0.95),
    control=Control(
        says="a quarter of the learning rate for as many steps, against its own threshold",
        arms={"run": slow},
    ),
)
