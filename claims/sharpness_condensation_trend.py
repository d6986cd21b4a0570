"""The sharpness and the condensation of the input weights follow a similar trend over training (version 2)."""

import numpy as np

from spikecheck import SETTING_B, Claim, Control, Prediction, Trail, Trial, paper_domain
from spikecheck.measures import alignment, spearman


def spikes(trial: Trial) -> bool:
    """The run spikes, and there is another to compare with."""
    return trial.trunk.has_spike


def _alignments(trial: Trial) -> np.ndarray:
    return np.array([alignment(weights) for weights in trial["run"].records["trail"]["input_weights"]])


def trend(trial: Trial) -> float:
    """|Spearman's rho| over the run's checkpoints, every 50 steps, of sharpness and mean |cos| between input weights."""
    return abs(spearman(trial["run"].records["trail"]["sharpness"][:, 0], _alignments(trial)))


def strangers(trial: Trial) -> float:
    """The same with the sharpness of another seed's run."""
    if trial.other is None:
        return float("nan")
    return abs(spearman(trial.other["run"].records["trail"]["sharpness"][:, 0], _alignments(trial)))


claim = Claim(
    says="the largest eigenvalue and the condensation follow a similar trend over training",
    where="arXiv 2305.12133v2, section on condensation",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Trail(),
    applies=spikes,
    measure=trend,
    unit="|Spearman rho| over time",
    predicts=Prediction(at_least=0.5, of_seeds=0.8, level=0.95),
    control=Control(says="the sharpness of another seed's run at the same steps", measure=strangers),
)
