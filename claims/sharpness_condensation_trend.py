"""The sharpness and the condensation of the input weights follow a similar trend over training (version 2).

What both merely owe to time, rising as training goes on, is no relation of one to the other: it is taken out. And a
similar trend has a sign: more sharpness with more alignment.
"""

import numpy as np

from spikecheck import SETTING_B, Average, Claim, Control, Trail, Trial, limits, paper_domain, with_record
from spikecheck.core.run import Array
from spikecheck.measures import alignment, partial_spearman, spearman

PREDICTS = Average(above=0.0, worth=0.1)


def spikes(trial: Trial) -> bool:
    """The run spikes, and there is another to compare with."""
    return trial.trunk.has_spike


def _alignments(trial: Trial) -> Array:
    return np.array([alignment(weights) for weights in trial["run"].records["trail"]["input_weights"]])


def trend(trial: Trial) -> float:
    """Spearman's rho of sharpness and mean |cos| between input weights over the checkpoints, given the step; in [-1, 1]."""
    record = trial["run"].records["trail"]
    return partial_spearman(record["sharpness"][:, 0], _alignments(trial), record["steps"])


def raw_trend(trial: Trial) -> float:
    """The same with the common trend left in."""
    return spearman(trial["run"].records["trail"]["sharpness"][:, 0], _alignments(trial))


def strangers(trial: Trial) -> float:
    """The same, given the step, with the sharpness of another seed's run."""
    if trial.other is None:
        return float("nan")
    theirs, steps = trial.other["run"].records["trail"]["sharpness"][:, 0], trial["run"].records["trail"]["steps"]
    return partial_spearman(theirs, _alignments(trial), steps)


def sharper_when_aligned(trial: Trial) -> Trial:
    """The sharpness is the alignment, with noise of its own size."""
    along = _alignments(trial)
    noise = np.random.default_rng(trial.seed).normal(scale=float(along.std()) + 1e-12, size=len(along))
    return with_record(trial, "run", "trail", sharpness=(along + noise)[:, None])


claim = Claim(
    says="the largest eigenvalue and the condensation follow a similar trend over training",
    where="arXiv 2305.12133v2, abstract and section on condensation",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Trail(),
    applies=spikes,
    measure=trend,
    unit="Spearman rho given the step",
    companions={"Spearman rho with the common trend": raw_trend},
    cutoffs=limits(PREDICTS, worth=(0.05, 0.2)),
    predicts=PREDICTS,
    positive=Control(says="a sharpness that follows the alignment, with noise of its size", plant=sharper_when_aligned),
    quotes="there is a correlation (similar trend) between lambda_max and condensation",
    reading="A correlation that their experiments show: an average over runs, signed, beyond what both owe to time.",
    cannot_tell="A relation that is nothing but a common rise over time would be missed. "
    "Alignment along an axis, such as biases that vanish beside weights, counts like any other.",
    control=Control(says="the sharpness of another seed's run at the same steps", measure=strangers),
)
