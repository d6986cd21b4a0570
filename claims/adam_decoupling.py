"""Adam spikes even where the curvature never changes: its second moment decays while nothing feeds it.

The model is linear and the loss quadratic, so the Hessian is one matrix for the whole run. The target, 100 sin 0.01x, is a
straight line to within 0.07 %.
"""

import numpy as np

from spikecheck import Anatomy, Claim, Control, Domain, Ladder, Prediction, Setting, Trial

REFERENCE = Setting(
    model="linear", target="100 sin 0.01x", points=20, interval=1.0, optimizer="adam", lr=0.01, steps=10_000
)
EARLIER = 200
"""Steps before the onset at which the control looks; beta2 = 0.999 forgets a fifth in them."""


def _relative(trial: Trial) -> np.ndarray:
    record = trial["run"].records["anatomy"]
    beta = trial.setting.beta1 or 0.0
    return np.asarray(record["gradient_curvature"] * trial.setting.lr * (1 - beta) / (2 * (1 + beta)))


def _onset(trial: Trial) -> int:
    return trial["run"].spikes[0].onset - int(trial["run"].records["anatomy"]["steps"][0])


def seen_earlier(trial: Trial) -> bool:
    """The run spikes, and its record reaches 200 steps back."""
    return trial.trunk.has_spike and _onset(trial) >= EARLIER + 10


def before_the_onset(trial: Trial) -> float:
    """Preconditioned curvature along the gradient over its threshold, median over the 10 steps before the onset."""
    onset = _onset(trial)
    return float(np.median(_relative(trial)[onset - 10 : onset]))


def earlier(trial: Trial) -> float:
    """The same 200 steps earlier."""
    onset = _onset(trial) - EARLIER
    return float(np.median(_relative(trial)[onset - 10 : onset]))


claim = Claim(
    says="Adam spikes at constant curvature: a spike follows when the preconditioned curvature along the gradient exceeds 38/lr",
    where="arXiv 2506.04805, abstract",
    kind="tendency",
    domain=Domain(
        REFERENCE,
        lr=Ladder(0.01, 0.02, 0.005),
        beta2=Ladder(0.999, 0.99),
        points=Ladder(20, 40),
        interval=Ladder(1.0, 2.0),
    ),
    probe=Anatomy(pairs=1),
    applies=seen_earlier,
    measure=before_the_onset,
    unit="preconditioned gradient curvature over its threshold",
    predicts=Prediction(above=1.0, of_seeds=0.8, level=0.95),
    control=Control(says="200 steps earlier", measure=earlier),
)
