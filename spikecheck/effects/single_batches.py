"""The curvature that single batches have along their own gradients, and that of the loss over all of them.

Trials have a `BatchSharpness` of W measurements. Source: Andreyev and Beneventano, arXiv 2412.20553.
"""

import numpy as np

from spikecheck.core.run import Array
from spikecheck.harness.claim import Trial
from spikecheck.harness.plants import with_record


def _late(trial: Trial, curvature: Array, part: float) -> float:
    """Median over the last part of the run, over the stability threshold."""
    late = trial["run"].records["batch-sharpness"]["steps"] >= (1 - part) * trial.setting.steps
    return float(np.median(curvature[late])) / trial.threshold


def late_batch_sharpness(trial: Trial, *, part: float = 0.5) -> float:
    """Median over the second half of the run of batch sharpness over its threshold, 2/lr for SGD.

    `part`, in (0, 1], of the run is used in place of its half.
    """
    return _late(trial, trial["run"].records["batch-sharpness"]["batch_sharpness"], part)


def late_full_sharpness(trial: Trial, *, part: float = 0.5) -> float:
    """The same for the largest eigenvalue of the Hessian over all batches of an epoch."""
    return _late(trial, trial["run"].records["batch-sharpness"]["sharpness"][:, 0], part)


def late_random_curvature(trial: Trial, *, part: float = 0.5) -> float:
    """The same for the batches' mean curvature along random directions."""
    return _late(trial, trial["run"].records["batch-sharpness"]["random_curvature"], part)


def first_batch_sharpness(trial: Trial) -> float:
    """Batch sharpness before the first step, over its threshold."""
    return float(trial["run"].records["batch-sharpness"]["batch_sharpness"][0]) / trial.threshold


def batches_hovering(trial: Trial, *, level: float, noise: float, full: float) -> Trial:
    """Batch sharpness lies at {level} times its threshold, with normal noise of {noise} of it; the full Hessian's at {full}.

    Args:
        trial: with a `BatchSharpness`.
        level: of batch sharpness, in units of the threshold.
        noise: standard deviation of the noise, in units of the threshold.
        full: of the largest eigenvalue over all batches, likewise and with the same noise.
    """
    record = trial["run"].records["batch-sharpness"]
    drawn = np.random.default_rng(trial.seed).normal(scale=noise, size=(2, len(record["steps"])))
    return with_record(
        trial,
        "run",
        "batch-sharpness",
        batch_sharpness=trial.threshold * (level + drawn[0]),
        sharpness=trial.threshold * (full + drawn[1])[:, None],
    )
