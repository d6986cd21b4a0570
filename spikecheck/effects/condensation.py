"""Alignment of input weights in the arms, and in how many directions they point after a small initialisation.

Arms have the names of `spikecheck.arms.twins` unless others are given.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from spikecheck.core.run import Array, Snapshot
from spikecheck.harness.claim import Trial
from spikecheck.harness.plants import aligned, with_record, with_weights
from spikecheck.measures import alignment, effective_ratio, random_alignment, spearman

FULL = 0.999
"""Largest mean |cos| that is planted."""


def _end(trial: Trial, arm: str) -> Snapshot:
    return trial[arm].snapshots["end"]


def _alignment(trial: Trial, arm: str) -> float:
    return alignment(_end(trial, arm).input_weights)


def gain(trial: Trial, *, run: str = "spiking", twin: str = "calm") -> float:
    """Mean |cos| between input weights at the end: the {run} run's minus its {twin} twin's, in [-1, 1].

    Where both start from the same weights this is the difference of their gains.

    Args:
        trial: with snapshots of both arms at their ends.
        run: the arm whose alignment counts.
        twin: the arm whose alignment is subtracted.
    """
    return _alignment(trial, run) - _alignment(trial, twin)


def rise(trial: Trial, *, run: str = "spiking") -> float:
    """Mean |cos| between input weights of one arm: at its end minus at its start, in [-1, 1]."""
    return _alignment(trial, run) - alignment(trial[run].snapshots["start"].input_weights)


def beyond_chance(trial: Trial, *, run: str = "spiking") -> float:
    """Mean |cos| between input weights of one arm at its end, minus that of random directions, in [-1, 1]."""
    weights = _end(trial, run).input_weights
    return alignment(weights) - random_alignment(weights.shape[1])


def weighted_gain(trial: Trial, *, run: str = "spiking", twin: str = "calm") -> float:
    """The same as `gain`, with every pair weighted by its neurons' |a||u|."""
    return _weighted(_end(trial, run)) - _weighted(_end(trial, twin))


def _weighted(at: Snapshot) -> float:
    return alignment(at.input_weights, np.linalg.norm(at.output_weights, axis=1))


def fewer_directions(trial: Trial, *, run: str = "spiking", twin: str = "calm") -> float:
    """Effective ratio of directions at the end: the twin's minus the run's, in [-1, 1]."""
    return effective_ratio(_end(trial, twin).input_weights) - effective_ratio(_end(trial, run).input_weights)


def mediated(trial: Trial, *, through: str, run: str = "spiking", twin: str = "calm", share: float = 0.5) -> float:
    """The part of a gain that an intermediate arm already has, minus a share of the whole gain, in [-2, 2].

    Args:
        trial: with snapshots of the three arms at their ends.
        run: the arm with the whole gain.
        through: the intermediate arm, which has only the suspected cause.
        twin: the arm without it.
        share: of the whole gain that is subtracted, in [0, 1].
    """
    return gain(trial, run=through, twin=twin) - share * gain(trial, run=run, twin=twin)


def turned(trial: Trial, *, runs: Sequence[str], twin: str, by: float) -> Trial:
    """Some arms end with the twin's weights, turned to a mean |cos| {by} higher.

    Args:
        trial: with snapshots at the ends.
        runs: the arms that are given the turned weights.
        twin: the arm whose weights are turned.
        by: what is added to their mean |cos|, in (0, 1].
    """
    weights = _end(trial, twin).input_weights
    together = aligned(weights, min(alignment(weights) + by, FULL))
    for run in runs:
        trial = with_weights(trial, run, "end", together)
    return trial


def condensed(trial: Trial, *, run: str = "spiking", twin: str = "calm", by: float) -> Trial:
    """The {run} run ends with its twin's weights, turned until the smallest of the three effects is {by}.

    These are `gain`, `rise` and `beyond_chance`.
    """
    weights = _end(trial, twin).input_weights
    start = alignment(trial[run].snapshots["start"].input_weights)
    wanted = max(alignment(weights), start, random_alignment(weights.shape[1])) + by
    return with_weights(trial, run, "end", aligned(weights, min(wanted, FULL)))


def _directions(trial: Trial, arm: str, above: float, left: float) -> float:
    """Directions of the input weights at the first checkpoint after the initial stage."""
    run = trial[arm]
    end = int(np.argmax(run.loss < left * run.loss[0]))
    record = run.records["trail"]
    reached = np.flatnonzero(record["steps"] >= end)
    weights = record["input_weights"][reached[0] if len(reached) else -1]
    return effective_ratio(weights, above) * len(weights)


def _values(sizes: Mapping[str, float]) -> Array:
    return np.array(list(sizes.values()))


def direction_trend(trial: Trial, *, sizes: Mapping[str, float], above: float = 0.95, left: float = 0.99) -> float:
    """Spearman's rho of gamma and the number of directions when the loss has fallen by 1 %, in [-1, 1].

    This is the end of the initial stage. Weights start from N(0, width^(-2 gamma)).

    Args:
        trial: with a `Trail` of every arm.
        sizes: by arm, the exponent gamma of its initialisation; a larger one means smaller weights.
        above: cosine above which two neurons point in one direction, in (0, 1).
        left: part of the first loss at which the initial stage ends, in (0, 1): by default 99 %.
    """
    return spearman(_values(sizes), np.array([_directions(trial, arm, above, left) for arm in sizes]))


def trend_at_the_start(trial: Trial, *, sizes: Mapping[str, float]) -> float:
    """Spearman's rho of gamma and the number of directions before the first step, in [-1, 1]."""
    weights = [trial[arm].records["trail"]["input_weights"][0] for arm in sizes]
    return spearman(_values(sizes), np.array([effective_ratio(w) * len(w) for w in weights]))


def trend_permuted(trial: Trial, *, sizes: Mapping[str, float], above: float = 0.95, left: float = 0.99) -> float:
    """The same with the values of gamma permuted at random.

    As `direction_trend`; the permutation is drawn from the seed.
    """
    gammas = np.random.default_rng(trial.seed).permutation(list(sizes.values()))
    return spearman(gammas, np.array([_directions(trial, arm, above, left) for arm in sizes]))


def directions_over_multiplicity(
    trial: Trial, *, arm: str, multiplicity: Mapping[str, int], above: float = 0.95, left: float = 0.99
) -> float:
    """Directions after the initial stage over twice the activation's multiplicity; 1 in the limit of arXiv 2105.11686.

    Args:
        trial: with a `Trail` of the arm.
        arm: the one that is counted.
        multiplicity: by activation, the order of its first derivative that does not vanish at 0.
        above: as in `direction_trend`.
        left: as in `direction_trend`.
    """
    return _directions(trial, arm, above, left) / (2 * multiplicity[trial.setting.activation])


def condensing(trial: Trial, *, arms: Iterable[str]) -> Trial:
    """From the second checkpoint on input weights point in 20, 10, 6, 4 and 2 directions, fewer for larger gamma.

    The directions are spread evenly. There are five arms, from the largest initialisation to the smallest; weights are [H, 2].
    """
    for arm, count in zip(arms, (20, 10, 6, 4, 2), strict=True):
        weights = trial[arm].records["trail"]["input_weights"]
        angles = 2 * np.pi * (np.arange(weights.shape[1]) % count) / count
        clustered = np.broadcast_to(np.stack([np.cos(angles), np.sin(angles)], axis=1), weights.shape).copy()
        clustered[0] = weights[0]
        trial = with_record(trial, arm, "trail", input_weights=clustered)
    return trial
