"""The curvature along the gradient crosses 2/lr closer to the spike than the sharpness does."""

from spikecheck import SETTING_B, Anatomy, Claim, Control, Prediction, Trial, paper_domain
from spikecheck.core.run import Array
from spikecheck.measures import crossing


def _lead(trial: Trial, curvature: Array) -> float:
    """Steps from a curvature's last crossing of 2/lr to the onset; the whole record where it never crosses."""
    record = trial["run"].records["anatomy"]
    onset = trial["run"].spikes[0].onset - int(record["steps"][0])
    crossed = crossing(curvature, trial.threshold, onset)
    return float(onset - crossed) if crossed is not None else float(onset)


def sharpness_crosses(trial: Trial) -> bool:
    """The sharpness is seen to cross 2/lr before the spike."""
    record = trial["run"].records["anatomy"]
    onset = trial["run"].spikes[0].onset - int(record["steps"][0])
    return crossing(record["sharpness"][:, 0], trial.threshold, onset) is not None


def closer(trial: Trial) -> float:
    """Steps by which the crossing of gHg/gg is closer to the onset than that of the sharpness."""
    record = trial["run"].records["anatomy"]
    return _lead(trial, record["sharpness"][:, 0]) - _lead(trial, record["gradient_curvature"])


def second(trial: Trial) -> float:
    """The same with the second eigenvalue in place of gHg/gg."""
    record = trial["run"].records["anatomy"]
    return _lead(trial, record["sharpness"][:, 0]) - _lead(trial, record["sharpness"][:, 1])


claim = Claim(
    says="the curvature along the gradient crosses 2/lr closer to the spike than the largest eigenvalue",
    where="arXiv 2506.04805 (stated for Adam; here for gradient descent)",
    rules="threshold",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Anatomy(),
    applies=sharpness_crosses,
    measure=closer,
    unit="steps closer to the onset",
    predicts=Prediction(above=0.0, of_seeds=0.8, level=0.95),
    control=Control(says="the second eigenvalue in place of the curvature along the gradient", measure=second),
)
