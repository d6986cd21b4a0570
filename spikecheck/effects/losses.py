"""What a run's losses show: spikes, rises, late peaks, and the curvature before and after a peak."""

import numpy as np

from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.claim import Trial
from spikecheck.harness.plants import with_loss, with_record


def spike_count(trial: Trial) -> float:
    """Number of spikes in the run."""
    return float(len(trial["run"].spikes))


def spiked(trial: Trial) -> float:
    """1 where the training spikes, else 0."""
    return float(trial.trunk.has_spike)


def early_rise(trial: Trial, *, early: int) -> float:
    """Largest loss in the first {early} steps over the first loss; above 0."""
    loss = trial["run"].loss
    return float(np.max(loss[1:early]) / loss[0])


def loss_left(trial: Trial) -> float:
    """Last loss over the first, at least 0."""
    loss = trial["run"].loss
    return float(loss[-1] / loss[0])


def _late(trial: Trial, part: float) -> int:
    return round((1 - part) * len(trial["run"].loss))


def _peak(trial: Trial, part: float) -> int:
    late = _late(trial, part)
    return late + int(np.argmax(trial["run"].loss[late:]))


def late_peak(trial: Trial, *, part: float = 0.5) -> float:
    """log10 of the largest loss in the second half of the run over the median loss there.

    At least 0. `part`, in (0, 1], of the run is used in place of its half.
    """
    loss = trial["run"].loss
    return float(np.log10(loss[_peak(trial, part)] / np.median(loss[_late(trial, part) :])))


def curvature_fall_at_the_peak(trial: Trial, *, part: float, within: int) -> float:
    """Log of the median curvature along the gradient in the steps before the late peak, over that after it.

    Args:
        trial: with a `Trail`, whose curvature is preconditioned where the update rule is.
        part: of the run in which the peak is sought, in (0, 1].
        within: steps on either side.
    """
    record = trial["run"].records["trail"]
    behind = _peak(trial, part) - record["steps"]
    before, after = (record["gradient_curvature"][(side >= 0) & (side <= within)] for side in (behind, -1 - behind))
    return float(np.log(np.median(before) / np.median(after))) if len(before) and len(after) else float("nan")


def curvature_before_the_peak(trial: Trial, *, part: float, within: int) -> float:
    """Largest curvature along the gradient in the steps up to the late peak, over Adam's 2 (1 + beta1)/((1 - beta1) lr).

    Source of the threshold: Cohen et al., arXiv 2207.14484. Arguments as in `curvature_fall_at_the_peak`.
    """
    record = trial["run"].records["trail"]
    beta = trial["run"].setting.beta1 or 0.0
    behind = _peak(trial, part) - record["steps"]
    near = (behind >= 0) & (behind <= within)
    curvature = record["gradient_curvature"][near].max()
    return float(curvature * trial["run"].setting.lr * (1 - beta) / (2 * (1 + beta)))


def with_a_spike(trial: Trial) -> Trial:
    """Ten times the loss for ten steps in the middle of the run."""
    loss = trial["run"].loss.copy()
    loss[len(loss) // 2 : len(loss) // 2 + 10] *= 10.0
    return with_loss(trial, "run", loss, SpikeDefinition())


def late_spike(trial: Trial) -> Trial:
    """A peak of twenty times the largest late loss; the curvature along the gradient is twice its threshold, then half.

    Late is the second half of the run. The curvature is replaced up to 1,000 steps on either side. The trial has a `Trail`, of
    Adam.
    """
    run = trial["run"]
    loss, peak = run.loss.copy(), round(0.8 * len(run.loss))
    loss[peak] = 20.0 * loss[_late(trial, 0.5) :].max()
    record, beta = run.records["trail"], run.setting.beta1 or 0.0
    threshold, behind = 2 * (1 + beta) / ((1 - beta) * run.setting.lr), record["steps"] - peak
    near = np.where(behind <= 0, 2 * threshold, threshold / 2)
    curvature = np.where(np.abs(behind) <= 1_000, near, record["gradient_curvature"])
    spiked = with_loss(trial, "run", loss, SpikeDefinition())
    return with_record(spiked, "run", "trail", gradient_curvature=curvature)


def half_a_turn_late(trial: Trial) -> Trial:
    """The losses of the second half of the run, shifted cyclically by half of its length."""
    loss = trial["run"].loss.copy()
    late = _late(trial, 0.5)
    loss[late:] = np.roll(loss[late:], (len(loss) - late) // 2)
    return with_loss(trial, "run", loss, SpikeDefinition())
