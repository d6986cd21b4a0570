"""Which frequencies are fitted first, which eigendirections change them, and which decay in a spike's descent.

Held-out points lie evenly, so functions on M of them have M cosine modes (DCT-II). On the interval [-L, L], sin x is the mode
of number 2L/pi; modes up to `times` that of sin x are called slow.
"""

import numpy as np

from spikecheck.core.run import Array
from spikecheck.harness.claim import Trial
from spikecheck.harness.plants import with_record
from spikecheck.measures import centroid, low_modes, spearman, spectrum


def slow_modes(trial: Trial, times: float = 1.0) -> int:
    """Cosine modes no faster than `times` sin x, the mean among them."""
    return round(times * 2 * trial.setting.interval) + 1


def _grid(count: int) -> Array:
    """The points of [0, 1] at which cosine modes are sampled."""
    return (np.arange(count) + 0.5) / count


def _shares(trial: Trial, name: str, times: float) -> Array:
    deviations = trial["run"].records["directions"][name][:, :, 0]
    return np.array([low_modes(deviation, slow_modes(trial, times)) for deviation in deviations])


def low_share(trial: Trial, *, times: float = 1.0) -> float:
    """Share of the energy of J v_1 on the held-out points at frequencies up to sin x, or `times` that, in [0, 1].

    The trial has `Directions`.
    """
    return float(_shares(trial, "deviation", times)[0])


def beyond_random(trial: Trial, *, times: float = 1.0) -> float:
    """The share of `low_share` minus its mean for random directions of the parameters, in [-1, 1].

    The trial has `Directions` with `random` ones.
    """
    return low_share(trial, times=times) - float(_shares(trial, "random_deviation", times).mean())


def one_random(trial: Trial) -> float:
    """The same for one random direction minus the mean of the others."""
    shares = _shares(trial, "random_deviation", 1.0)
    return float(shares[0] - shares[1:].mean())


def slow_among_random(trial: Trial) -> Trial:
    """J v_1 is sin x with a tenth of the energy at high frequency; random directions have half at each."""
    record = trial["run"].records["directions"]
    grid, modes = _grid(record["deviation"].shape[1]), slow_modes(trial)
    slow, fast = np.cos(np.pi * (modes - 1) * grid), np.cos(np.pi * (3 * modes) * grid)
    deviation = record["deviation"].copy()
    deviation[0, :, 0] = np.sqrt(0.9) * slow + np.sqrt(0.1) * fast
    random = np.broadcast_to((slow + fast)[:, None], record["random_deviation"].shape)
    return with_record(trial, "run", "directions", deviation=deviation, random_deviation=random)


def _centroids(trial: Trial) -> Array:
    deviations = trial["run"].records["directions"]["deviation"][:, :, 0]
    return np.array([centroid(deviation) for deviation in deviations])


def rank_and_frequency(trial: Trial, *, pairs: int) -> float:
    """Spearman's rho of an eigendirection's rank, 1 to {pairs}, and the spectral centroid of its deviation at the onset.

    In [-1, 1]. The trial has `Directions`.
    """
    return spearman(np.arange(pairs, dtype=np.float64), _centroids(trial)[:pairs])


def rank_and_frequency_permuted(trial: Trial, *, pairs: int) -> float:
    """The same with the ranks permuted at random."""
    return spearman(np.random.default_rng(trial.seed).permutation(pairs).astype(np.float64), _centroids(trial))


def ordered(trial: Trial, *, pairs: int) -> Trial:
    """The k-th direction's deviation is the k-th cosine mode, with noise of half its size."""
    record = trial["run"].records["directions"]
    waves = np.cos(np.pi * np.arange(1, pairs + 1)[:, None] * _grid(record["deviation"].shape[1]))
    noise = np.random.default_rng(trial.seed).normal(scale=0.5 * 0.7, size=waves.shape)
    return with_record(trial, "run", "directions", deviation=(waves + noise)[:, :, None])


def _fitted(trial: Trial, pattern: Array, left: float) -> float:
    """The first checkpoint at which a pattern [M] is fitted up to `left` of it; one after the last where it never is."""
    record = trial["run"].records["trail"]
    amplitudes = record["outputs"][:, :, 0] @ pattern
    wanted = float(trial.problem().y_test[:, 0] @ pattern)
    close = np.abs(amplitudes - wanted) < left * abs(wanted)
    steps = np.append(record["steps"], 2 * record["steps"][-1] - record["steps"][-2])
    return float(steps[np.argmax(close)] if close.any() else steps[-1]) + 1.0


def low_fitted_sooner(trial: Trial, *, low: int, high: int, left: float = 0.5) -> float:
    """Log of the steps until sin(high x) is fitted, over those until sin(low x) is.

    Args:
        trial: with a `Trail`; its target contains both.
        low: the smaller angular frequency.
        high: the larger one.
        left: part of a wave's amplitude that is still missing where it counts as fitted, in (0, 1).
    """
    x = trial.problem().x_test[:, 0]
    later, sooner = (_fitted(trial, np.sin(frequency * x), left) for frequency in (high, low))
    return float(np.log(later / sooner))


def right_half_later(trial: Trial, *, frequency: int) -> float:
    """Log of the steps until sin(frequency x) is fitted half-way where x > 0, over those where x < 0: one frequency."""
    x = trial.problem().x_test[:, 0]
    wave = np.sin(frequency * x)
    return float(np.log(_fitted(trial, wave * (x > 0), 0.5) / _fitted(trial, wave * (x < 0), 0.5)))


def low_fitted_first(trial: Trial, *, low: int, high: int) -> Trial:
    """sin(low x) is fitted in 200 steps, sin(high x) in 1,000."""
    record, x = trial["run"].records["trail"], trial.problem().x_test[:, 0]
    grown = [1 - np.exp(-record["steps"] / steps) for steps in (200.0, 1_000.0)]
    outputs = sum(part[:, None] * np.sin(f * x) for part, f in zip(grown, (low, high), strict=True))
    return with_record(trial, "run", "trail", outputs=np.asarray(outputs)[:, :, None])


def energies(trial: Trial, *, steps: int) -> tuple[Array, Array]:
    """Energy of the deviation from the last recorded function, by cosine mode [M]: at the loss's peak, and `steps` after.

    The trial has an `Anatomy` with outputs.
    """
    record = trial["run"].records["anatomy"]
    peak = int(np.argmax(record["loss"]))
    deviation = record["outputs"][:, :, 0] - record["outputs"][-1, :, 0]
    before, after = (np.square(deviation[at]).sum() * spectrum(deviation[at]) for at in (peak, peak + steps))
    return before, after


def low_share_lost(trial: Trial, *, steps: int, times: float = 1.0) -> float:
    """Share of the energy lost by the deviation in {steps} steps after the peak at frequencies up to sin x, at most about 1.

    With `times`, up to `times` that of sin x. The trial has an `Anatomy` with outputs.
    """
    before, after = energies(trial, steps=steps)
    modes = slow_modes(trial, times)
    return float((before[:modes] - after[:modes]).sum() / (before - after).sum())


def high_kept_longer(trial: Trial, *, steps: int, times: float = 1.0) -> float:
    """Log of the part of the energy left {steps} steps after the peak: at frequencies above sin x over that up to sin x.

    With `times`, above and up to `times` that of sin x. The trial has an `Anatomy` with outputs.
    """
    before, after = energies(trial, steps=steps)
    modes = slow_modes(trial, times)
    kept_low = after[:modes].sum() / before[:modes].sum()
    kept_high = after[modes:].sum() / before[modes:].sum()
    return float(np.log(kept_high / kept_low)) if min(kept_low, kept_high) > 0 else float("nan")


def low_goes_first(trial: Trial) -> Trial:
    """The deviation from the last function decays with a time constant of 10 steps at sin x, of 40 at a higher frequency."""
    record = trial["run"].records["anatomy"]
    outputs, peak = record["outputs"], int(np.argmax(record["loss"]))
    grid, modes = _grid(outputs.shape[1]), slow_modes(trial)
    low, high = np.cos(np.pi * (modes - 1) * grid), np.cos(np.pi * 3 * modes * grid)
    behind = np.maximum(np.arange(len(outputs)) - peak, 0)[:, None]
    deviation = np.exp(-behind / 10) * low + 0.3 * np.exp(-behind / 40) * high
    return with_record(trial, "run", "anatomy", outputs=outputs[-1] + deviation[:, :, None])
