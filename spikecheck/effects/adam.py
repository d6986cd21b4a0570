"""What a fork of an Adam training does where the training itself spikes."""

import numpy as np

from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.claim import Trial
from spikecheck.harness.plants import with_loss


def spike_absent(trial: Trial, *, arm: str) -> float:
    """1 where the {arm} arm does not spike over the steps in which the training does, else 0."""
    return float(not trial[arm].has_spike)


def curvature_before_the_rise(trial: Trial, *, arm: str = "spiking") -> float:
    """Largest preconditioned curvature along the gradient up to the spike's peak, over Adam's threshold.

    The threshold is 2 (1 + beta1)/((1 - beta1) lr); source: Cohen et al., arXiv 2207.14484. At least 0.

    Args:
        trial: whose `arm` has an `Anatomy`.
        arm: the fork that continues unchanged.
    """
    run = trial[arm]
    record, beta = run.records["anatomy"], run.setting.beta1 or 0.0
    before = record["steps"] <= run.start + int(np.argmax(run.loss))
    largest = float(np.max(record["gradient_curvature"][before]))
    return largest * run.setting.lr * (1 - beta) / (2 * (1 + beta))


def without_its_spike(trial: Trial, *, arm: str, spiking: str = "spiking") -> Trial:
    """The unchanged fork's losses in the {arm} arm, capped at twice the smallest loss so far, so that no spike is left."""
    loss = trial[spiking].loss
    return with_loss(trial, arm, np.minimum(loss, 2.0 * np.minimum.accumulate(loss)), SpikeDefinition())
