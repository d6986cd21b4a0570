"""Test losses at the ends of runs, and what predicts them. Trials have `Directions` at the end of every arm."""

from collections.abc import Sequence

import numpy as np

from spikecheck.core.run import Array
from spikecheck.harness.claim import Trial
from spikecheck.harness.plants import aligned, with_record, with_weights
from spikecheck.measures import alignment, concordance, low_ratio, part_errors


def _record(trial: Trial, arm: str, name: str) -> Array:
    return trial[arm].records["directions"][name]


def heldout_loss(trial: Trial, *, arm: str) -> float:
    """Mean squared error of an arm on the held-out points, at least 0."""
    return float(np.square(_record(trial, arm, "outputs") - trial.problem().y_test).mean())


def heldout_loss_ratio(trial: Trial, *, run: str = "spiking", twin: str = "held") -> float:
    """Log of the test loss at the end: the {run} run's over that of its {twin} twin."""
    return float(np.log(heldout_loss(trial, arm=run) / heldout_loss(trial, arm=twin)))


def sharpness_ratio(trial: Trial, *, run: str = "spiking", twin: str = "held") -> float:
    """Log of the sharpness at the end: one arm's over another's."""
    ours, theirs = (_record(trial, arm, "values")[0] for arm in (run, twin))
    return float(np.log(ours / theirs))


def better_and_turned(trial: Trial, *, run: str = "spiking", twin: str = "held") -> Trial:
    """The {run} run's test errors are four fifths of its twin's, and its weights have a mean |cos| 0.05 higher."""
    wanted = trial.problem().y_test
    outputs = wanted + 0.8 * (_record(trial, twin, "outputs") - wanted)
    weights = trial[twin].snapshots["end"].input_weights
    turned = aligned(weights, min(alignment(weights) + 0.05, 0.999))
    return with_weights(with_record(trial, run, "directions", outputs=outputs), run, "end", turned)


def _family_losses(trial: Trial, arms: Sequence[str]) -> Array:
    wanted = trial.problem(arms[0]).y_test
    return np.array([np.square(_record(trial, arm, "outputs") - wanted).mean() for arm in arms])


def flatter_is_better(trial: Trial, *, arms: Sequence[str], apart: float = 10.0) -> float:
    """Of pairs of nets with test losses ten times apart, the share in which the flatter net generalises better, in [0, 1].

    One half is chance; nan where no two differ so much.

    Args:
        trial: with `Directions` of all arms, which have the same data.
        arms: that are compared.
        apart: the larger test loss over the smaller from which on a pair counts, above 1.
    """
    sharpness = np.array([_record(trial, arm, "values")[0] for arm in arms])
    return concordance(sharpness, _family_losses(trial, arms), apart)


def smaller_is_better(trial: Trial, *, arms: Sequence[str], apart: float = 10.0) -> float:
    """The same for the norm of the weights in place of the sharpness, which predicts the better net."""
    sizes = np.array([np.linalg.norm(trial[arm].snapshots["end"].params) for arm in arms])
    return concordance(sizes, _family_losses(trial, arms), apart)


def handed_around(trial: Trial, *, arms: Sequence[str]) -> Trial:
    """Sharpnesses are permuted at random among the nets of one seed."""
    order = np.random.default_rng(trial.seed).permutation(list(arms))
    values = {arm: _record(trial, arm, "values") for arm in arms}
    for arm, other in zip(arms, order, strict=True):
        trial = with_record(trial, arm, "directions", values=values[str(other)])
    return trial


def gap_closed(trial: Trial, *, bad: str = "run", moved: str = "exchanged", good: str = "good") -> float:
    """Share of the gap between the bad and the good arm's test losses that the exchange closes, at most 1."""
    worse, between, better = (heldout_loss(trial, arm=arm) for arm in (bad, moved, good))
    return (worse - between) / (worse - better)


def _along(trial: Trial, arm: str, direction: Array) -> float:
    """Share of the test residual's energy along a function on the held-out points, in [0, 1]."""
    residual = (_record(trial, arm, "outputs") - trial.problem().y_test).ravel()
    along = direction.ravel()
    return float((residual @ along) ** 2 / ((residual @ residual) * (along @ along)))


def residual_along_first(trial: Trial, *, arm: str = "run") -> float:
    """Share of the test residual's energy along J v_1, in [0, 1]: what a move along v_1 can remove, to first order."""
    return _along(trial, arm, _record(trial, arm, "deviation")[0])


def _by_chance(trial: Trial, arm: str, draws: int, times: float) -> float:
    """The mean share along random sums of the slowest cosine modes, those no faster than `times` sin x."""
    count = len(_record(trial, arm, "outputs"))
    grid, modes = (np.arange(count) + 0.5) / count, round(times * 2 * trial.setting.interval) + 1
    waves = np.cos(np.pi * np.arange(modes)[:, None] * grid)
    sums = np.random.default_rng(trial.seed).normal(size=(draws, modes)) @ waves
    return float(np.mean([_along(trial, arm, function) for function in sums]))


def residual_beyond_chance(trial: Trial, *, arm: str = "run", draws: int = 64, times: float = 2.0) -> float:
    """Share of the test residual's energy along J v_1, minus its mean along random functions of low frequency, in [-1, 1].

    Args:
        trial: with `Directions` of the arm.
        arm: whose residual it is.
        draws: random functions, drawn from the trial's seed.
        times: their largest frequency over that of sin x.
    """
    return residual_along_first(trial, arm=arm) - _by_chance(trial, arm, draws, times)


def own_beyond_chance(trial: Trial, *, arm: str = "run", draws: int = 64, times: float = 2.0) -> float:
    """The same for J J'r, the direction given by the test residual r itself, in place of J v_1."""
    return _along(trial, arm, _record(trial, arm, "own")) - _by_chance(trial, arm, draws, times)


def elsewhere(trial: Trial, *, arm: str = "run", moved: str = "exchanged") -> Trial:
    """The test residual is noise of all frequencies, and the exchange does not change it.

    Normal noise as large as the residual of `arm`; `moved` is the arm of the exchange.
    """
    wanted = trial.problem().y_test
    size = np.sqrt(np.square(_record(trial, arm, "outputs") - wanted).mean())
    outputs = wanted + np.random.default_rng(trial.seed).normal(scale=size, size=wanted.shape)
    return with_record(with_record(trial, arm, "directions", outputs=outputs), moved, "directions", outputs=outputs)


def along_first(trial: Trial, *, arm: str = "run") -> Trial:
    """The test residual lies along J v_1, with noise of a tenth of its size."""
    wanted = trial.problem().y_test
    along = _record(trial, arm, "deviation")[0].reshape(wanted.shape)
    size = np.sqrt(np.square(_record(trial, arm, "outputs") - wanted).mean())
    noise = np.random.default_rng(trial.seed).normal(scale=0.1 * size, size=wanted.shape)
    outputs = wanted + size * along / np.sqrt(np.square(along).mean()) + noise
    return with_record(trial, arm, "directions", outputs=outputs)


def exchange_closes(trial: Trial, *, moved: str = "exchanged", good: str = "good") -> Trial:
    """After the exchange the bad net has the good one's outputs."""
    return with_record(trial, moved, "directions", outputs=_record(trial, good, "outputs"))


def alike(trial: Trial, *, bad: str = "bad", good: str = "good") -> Trial:
    """The {bad} net gives the {good} one's outputs with noise as large as its own error, point by point."""
    outputs = _record(trial, good, "outputs")
    noise = np.random.default_rng(trial.seed).normal(scale=np.sqrt(heldout_loss(trial, arm=bad)), size=outputs.shape)
    return with_record(trial, bad, "directions", outputs=outputs + noise)


def _filter(x: Array, width: float) -> float:
    """The Gaussian filter's variance, in squared input units: `width` of the mean squared distance between points [N, D]."""
    return width * float(2 * np.square(x - x.mean(0)).sum(1).mean())


def _errors(trial: Trial, arm: str, width: float = 0.05) -> tuple[float, float]:
    """Relative errors of one arm at low and at high frequency on the held-out points."""
    data = trial.problem()
    return part_errors(data.x_test, data.y_test, _record(trial, arm, "outputs"), _filter(data.x, width))


def low_gap(trial: Trial, *, bad: str = "bad", good: str = "good", width: float = 0.05) -> float:
    """Relative error at low frequency on test points: the {bad} net's minus the {good} one's.

    Low is what a Gaussian filter over the inputs leaves; the rest is high.

    Args:
        trial: with `Directions` of both arms.
        bad: the arm whose error counts.
        good: the arm whose error is subtracted.
        width: the filter's variance over the mean squared distance between training points, above 0.
    """
    return _errors(trial, bad, width)[0] - _errors(trial, good, width)[0]


def high_gap(trial: Trial, *, bad: str = "bad", good: str = "good", width: float = 0.05) -> float:
    """The same at high frequency, where good and bad differ."""
    return _errors(trial, bad, width)[1] - _errors(trial, good, width)[1]


def low_error(trial: Trial, *, arm: str, width: float = 0.05) -> float:
    """Relative error of an arm at low frequency on held-out points, at least 0."""
    return _errors(trial, arm, width)[0]


def low_dominance(trial: Trial, *, width: float = 0.05) -> float:
    """Share of the labels' energy about their mean that is in their low-frequency part; `width` as in `low_gap`."""
    data = trial.problem()
    return low_ratio(data.x, data.y - data.y.mean(0), _filter(data.x, width))
