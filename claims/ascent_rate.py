"""The ascent of a spike is exponential, at the rate that the sharpness gives."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from spikecheck import (
    SETTING_B,
    Anatomy,
    Claim,
    Condition,
    Control,
    Prediction,
    Trial,
    Variant,
    limits,
    paper_domain,
    with_record,
)
from spikecheck.measures import ascent, displacement_r2, growth, rate_error

SHORTEST = 20
"""Steps an ascent must last for its rate to be a question."""


def _ascent(trial: Trial) -> tuple[slice | None, dict[str, NDArray[np.float64]]]:
    """The steps from the crossing of the stability threshold to the peak, and what was recorded."""
    record = dict(trial["run"].records["anatomy"])
    spike = trial["run"].spikes[0]
    first = int(record["steps"][0])
    rise = ascent(record["sharpness"][:, 0], 2.0 / trial.setting.lr, spike.onset - first, spike.peak - first)
    return rise, record


def _rate(trial: Trial, pair: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measured growth along v_1, and the eigenvalue of one pair, over the ascent."""
    rise, record = _ascent(trial)
    factors = growth(record["swing"][rise, 0], record["next_swing"][rise, 0])
    return factors, record["sharpness"][rise, pair]


def seen_from_its_start(trial: Trial, shortest: int = SHORTEST) -> bool:
    """The record holds the ascent from the crossing of 2/lr to the peak, and that lasts at least 20 steps."""
    rise, _ = _ascent(trial)
    return rise is not None and rise.stop - rise.start >= shortest


def error(trial: Trial) -> float:
    """Median over the ascent of |log growth along v_1 - log|1 - lr lambda_1||, at least 0."""
    return rate_error(*_rate(trial, 0), trial.setting.lr)


def straightness(trial: Trial) -> float:
    """R^2 of the log displacement along v_1 against the predicted cumulative sum, at most 1."""
    return displacement_r2(*_rate(trial, 0), trial.setting.lr)


def error_of_the_second(trial: Trial) -> float:
    """The same error when the rate is predicted from the second eigenvalue."""
    return rate_error(*_rate(trial, 1), trial.setting.lr)


PREDICTS = Prediction(at_most=0.05, of_seeds=0.8, level=0.95)


def at_the_predicted_rate(trial: Trial) -> Trial:
    """The motion along v_1 grows by |1 - lr lambda_1| at every step, with noise of 2 % on each factor."""
    record = trial["run"].records["anatomy"]
    rate = np.abs(1.0 - trial.setting.lr * record["sharpness"])
    noise = np.random.default_rng(trial.seed).normal(scale=0.02, size=rate.shape)
    return with_record(trial, "run", "anatomy", next_swing=record["swing"] * rate * np.exp(noise))


claim = Claim(
    says="once lr x lambda_max > 2 the loss ascends exponentially, at the rate |1 - lr lambda_max| per step",
    where="arXiv 2305.12133v1, abstract and section on the ascent stage",
    rules="gd",
    kind="law",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Anatomy(),
    applies=seen_from_its_start,
    measure=error,
    unit="median error of the log rate",
    cutoffs={
        **limits(PREDICTS, at_most=(0.025, 0.1)),
        "shortest ascent half: 10 steps": Variant(applies=partial(seen_from_its_start, shortest=SHORTEST // 2)),
        "shortest ascent twice: 40 steps": Variant(applies=partial(seen_from_its_start, shortest=2 * SHORTEST)),
    },
    predicts=PREDICTS,
    also=(Condition(measure=straightness, unit="R^2", predicts=Prediction(at_least=0.95)),),
    positive=Control(says="a motion that grows at the predicted rate, with noise of 2 %", plant=at_the_predicted_rate),
    quotes="loss exponentially increases once it is too sharp, i.e., the rapid ascent of the loss spike",
    reading="An exponential at a rate that theory gives for every run: a law, so a share of seeds.",
    cannot_tell="The motion is read through an eighth difference in time, which was chosen after seeing data. "
    "The Hessian of a ReLU misses what happens as a step crosses a kink.",
    control=Control(says="the rate predicted from the second eigenvalue", measure=error_of_the_second),
)
