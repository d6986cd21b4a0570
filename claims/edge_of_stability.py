"""Full-batch gradient descent: the sharpness rises to 2/lr and then hovers just above it."""

from functools import partial

import numpy as np

from spikecheck import (
    MNIST1D,
    MNIST1D_BATCHES,
    SETTING_B,
    Claim,
    Control,
    Prediction,
    Setting,
    SharpnessTrace,
    Trial,
    Variant,
    paper_domain,
)


def slow(setting: Setting) -> Setting:
    """A quarter of the learning rate for as many steps: the sharpness has no time to rise to its threshold."""
    return setting.but(lr=setting.lr / 4)


def trained(trial: Trial, left: float = 0.5) -> bool:
    """The loss ends below half of what it began with."""
    return bool(trial.trunk.loss[-1] < left * trial.trunk.loss[0])


def hovering(trial: Trial, part: float = 0.5) -> float:
    """Median over the second half of the run of lr x sharpness / 2; 1 is the edge."""
    run = trial["run"]
    record = run.records["sharpness"]
    late = record["steps"] >= (1 - part) * run.setting.steps
    return float(np.median(record["sharpness"][late, 0]) * run.setting.lr / 2)


claim = Claim(
    says="gradient descent drives the sharpness to 2/lr, where it hovers just above",
    where="Cohen et al., arXiv 2103.00065, abstract",
    rules="gd",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    further={"mnist1d": MNIST1D, "mnist1d, batches of 20": MNIST1D_BATCHES},
    probe=SharpnessTrace(),
    detects_spikes=False,
    applies=trained,
    measure=hovering,
    unit="median late sharpness over 2/lr",
    cutoffs={
        "late part half: the last quarter": partial(hovering, part=0.25),
        "late part twice: the whole run": partial(hovering, part=1.0),
        "loss left at the end half: a quarter": Variant(applies=partial(trained, left=0.25)),
        "loss left at the end twice: all of it": Variant(applies=partial(trained, left=1.0)),
    },
    predicts=Prediction(at_least=0.95, at_most=1.1, of_seeds=0.8, level=0.95),
    control=Control(
        says="a quarter of the learning rate for as many steps, against its own threshold",
        arms={"run": slow},
    ),
)
