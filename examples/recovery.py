"""Training gets over its loss spikes: it ends below the loss that it had when the first spike began."""

from math import log10

from spikecheck import SETTING_A, Claim, Control, Domain, Ladder, Prediction, Trial


def spikes(trial: Trial) -> bool:
    """The run spikes."""
    return trial.trunk.has_spike


def at_the_end(trial: Trial) -> float:
    """log10 of the last loss over the loss at the first spike's onset."""
    run = trial.trunk
    return log10(run.loss[-1] / run.loss[run.spikes[0].onset])


def at_the_peak(trial: Trial) -> float:
    """log10 of the loss at the first spike's peak over the loss at its onset."""
    run = trial.trunk
    return log10(run.loss[run.spikes[0].peak] / run.loss[run.spikes[0].onset])


claim = Claim(
    says="training gets over its loss spikes",
    where="folklore",
    kind="tendency",
    domain=Domain(SETTING_A, width=Ladder(20, 50), lr=Ladder(0.1, 0.125, 0.075)),
    applies=spikes,
    measure=at_the_end,
    unit="log10 of the loss, end / onset",
    predicts=Prediction(below=0.0, of_seeds=0.8, level=0.95),
    control=Control(says="the peak, where nothing is over yet", measure=at_the_peak),
)
