"""Where the sharpness is and what changes it: late medians, the balance at the edge, and its fall at a spike."""

import numpy as np

from spikecheck.core.run import Array
from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.claim import Trial
from spikecheck.harness.plants import with_loss, with_record
from spikecheck.measures import alignment, fall, partial_spearman, spearman


def _late(trial: Trial, part: float) -> float:
    """Median sharpness over the last part of the run, times the learning rate."""
    run = trial["run"]
    record = run.records["sharpness"]
    late = record["steps"] >= (1 - part) * run.setting.steps
    return float(np.median(record["sharpness"][late, 0])) * run.setting.lr


def late_over_two(trial: Trial, *, part: float = 0.5) -> float:
    """Median over the second half of the run of lr x sharpness / 2; 1 is the edge.

    `part`, in (0, 1], of the run is used in place of its half. The trial has a `SharpnessTrace`. Source of the
    threshold of gradient descent: Cohen et al., arXiv 2103.00065.
    """
    return _late(trial, part) / 2


def late_over_adams(trial: Trial, *, part: float = 0.5) -> float:
    """Median over the second half of the run of the preconditioned sharpness over (2 + 2 beta1)/((1 - beta1) lr).

    `part`, in (0, 1], of the run is used in place of its half. The trial has a `SharpnessTrace`. Source of the threshold:
    Cohen et al., arXiv 2207.14484.
    """
    beta = trial.setting.beta1 or 0.0
    return _late(trial, part) / (2 * (1 + beta) / (1 - beta))


def hovering_at(trial: Trial, *, level: float, noise: float) -> Trial:
    """The sharpness is {level} times its threshold throughout, with normal noise of {noise} times the threshold."""
    record = trial["run"].records["sharpness"]
    drawn = np.random.default_rng(trial.seed).normal(scale=noise, size=record["sharpness"].shape)
    return with_record(trial, "run", "sharpness", sharpness=trial.threshold * (level + drawn))


def balance(trial: Trial, *, settling: int) -> float:
    """Mean beta x^2 minus mean 2 alpha, over the sum of their sizes, from {settling} steps after the fork on, in [-1, 1].

    0 where oscillation lowers the sharpness as much as progressive sharpening raises it. Source: Damian et al., arXiv
    2209.15594. The trial has a `Balance`.
    """
    run = trial["run"]
    record = run.records["balance"]
    late = record["steps"] >= run.start + settling
    lowers = float((record["steepness"] * record["displacement"] ** 2)[late].mean())
    raises = float(2 * record["sharpening"][late].mean())
    return (lowers - raises) / (abs(lowers) + abs(raises))


def balanced(trial: Trial) -> Trial:
    """Displacements that balance the sharpening at every step, with noise of 30 % on each."""
    record = trial["run"].records["balance"]
    factor = np.exp(np.random.default_rng(trial.seed).normal(scale=0.3, size=len(record["steps"])))
    size = np.sqrt(2 * np.abs(record["sharpening"]) / record["steepness"])
    return with_record(trial, "run", "balance", displacement=size * factor, sharpening=np.abs(record["sharpening"]))


def flattened(trial: Trial) -> float:
    """Sharpness at the last checkpoint over that at the first.

    The trial has a `Trail`.
    """
    sharpness = trial["run"].records["trail"]["sharpness"][:, 0]
    return float(sharpness[-1] / sharpness[0])


def thrown(trial: Trial, *, flatter: float = 0.8) -> Trial:
    """Twice the first loss at step 10, half of it at the end, and four fifths of the first sharpness there.

    `flatter`, above 0, is used in place of the four fifths.
    """
    run = trial["run"]
    loss, sharpness = run.loss.copy(), run.records["trail"]["sharpness"].copy()
    loss[10], loss[-1], sharpness[-1] = 2.0 * loss[0], 0.5 * loss[0], flatter * sharpness[0]
    risen = with_loss(trial, "run", loss, SpikeDefinition())
    return with_record(risen, "run", "trail", sharpness=sharpness)


def peak_to_fall(trial: Trial, *, otherwise: float) -> float:
    """Steps between the loss's peak and the sharpness's fall below 2/lr; {otherwise} where it begins below, or never falls.

    Args:
        trial: with an `Anatomy` of a fork.
        otherwise: what is given where the sharpness begins below its threshold, or never falls below.
    """
    record = trial["run"].records["anatomy"]
    fallen = fall(record["sharpness"][:, 0], trial.threshold)
    return otherwise if fallen is None else float(abs(fallen - int(np.argmax(record["loss"]))))


def flat_at_the_peak(trial: Trial) -> Trial:
    """The sharpness is a tenth above its threshold up to two steps after the loss's peak, and a fifth below from there."""
    record = trial["run"].records["anatomy"]
    sharpness, peak = record["sharpness"].copy(), int(np.argmax(record["loss"]))
    sharpness[:, 0] = trial.threshold * np.where(np.arange(len(sharpness)) <= max(peak, 1) + 1, 1.1, 0.8)
    return with_record(trial, "run", "anatomy", sharpness=sharpness)


def _alignments(trial: Trial) -> Array:
    return np.array([alignment(weights) for weights in trial["run"].records["trail"]["input_weights"]])


def alignment_trend(trial: Trial) -> float:
    """Partial Spearman's rho of sharpness and mean |cos| of input weights over the checkpoints, given the step; in [-1, 1]."""
    record = trial["run"].records["trail"]
    return partial_spearman(record["sharpness"][:, 0], _alignments(trial), record["steps"])


def raw_alignment_trend(trial: Trial) -> float:
    """The same as `alignment_trend`, without partialling out the step."""
    return spearman(trial["run"].records["trail"]["sharpness"][:, 0], _alignments(trial))


def alignment_trend_of_strangers(trial: Trial) -> float:
    """The same, given the step, with the sharpness of another seed's run.

    As `alignment_trend`; nan without another seed.
    """
    if trial.other is None:
        return float("nan")
    theirs, steps = trial.other["run"].records["trail"]["sharpness"][:, 0], trial["run"].records["trail"]["steps"]
    return partial_spearman(theirs, _alignments(trial), steps)


def sharper_when_aligned(trial: Trial) -> Trial:
    """The sharpness is the alignment plus noise of the same standard deviation."""
    along = _alignments(trial)
    noise = np.random.default_rng(trial.seed).normal(scale=float(along.std()) + 1e-12, size=len(along))
    return with_record(trial, "run", "trail", sharpness=(along + noise)[:, None])
