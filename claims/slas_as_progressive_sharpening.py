"""The region in which smaller is sharper is progressive sharpening: its rate tells when the sharpness crosses its threshold.

Where the sharpness passes nine tenths of 2/lr it rises at some rate, by a straight line through the fifty steps
before. Going on like that it would cross 2/lr after so many steps. The effect compares that with the steps it really
took.
"""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_B,
    Anatomy,
    Claim,
    Control,
    Equivalence,
    Trial,
    limits,
    paper_domain,
    with_record,
)
from spikecheck.core.run import Array
from spikecheck.measures import crossing

BELOW = 0.9
"""Of 2/lr: where the rate is read."""
WINDOW = 20
"""Steps through which the line goes."""
MOST = float(np.log(8.0))
"""Stands for a prediction that is wrong by a factor of eight or more, such as a rate that is not positive."""
PREDICTS = Equivalence(at_least=-float(np.log(2.0)), at_most=float(np.log(2.0)))
"""Within a factor of two."""


def _passes(trial: Trial, below: float = BELOW) -> tuple[int | None, int | None]:
    """Where the sharpness passes nine tenths of its threshold, and where it crosses it before the first spike."""
    sharpness = trial["run"].records["anatomy"]["sharpness"][:, 0]
    crossed = crossing(sharpness, trial.threshold, _onset(trial))
    return (None if crossed is None else crossing(sharpness, below * trial.threshold, crossed)), crossed


def seen_to_cross(trial: Trial, window: int = WINDOW) -> bool:
    """The run spikes, and at least 20 recorded steps lie before its sharpness passes nine tenths of 2/lr on its way there."""
    if not trial.trunk.has_spike:
        return False
    passed, crossed = _passes(trial)
    return passed is not None and crossed is not None and window <= passed < crossed


def _error(trial: Trial, sharpness: Array, window: int, below: float) -> float:
    passed, crossed = _passes(trial, below)
    if passed is None or crossed is None or not window <= passed < crossed:
        return float("nan")
    rate = float(np.polyfit(np.arange(window), sharpness[passed - window : passed], 1)[0])
    if rate <= 0:
        return MOST
    return float(np.clip(np.log((1 - below) * trial.threshold / rate / (crossed - passed)), -MOST, MOST))


def error(trial: Trial, window: int = WINDOW, below: float = BELOW) -> float:
    """Log of the predicted over the real number of steps from nine tenths of 2/lr to the crossing; at most log 8 in size."""
    return _error(trial, trial["run"].records["anatomy"]["sharpness"][:, 0], window, below)


def by_a_stranger(trial: Trial) -> float:
    """The same, the rate read off another seed's run as many steps before its own onset."""
    if trial.other is None:
        return float("nan")
    mine, theirs = (one["run"].records["anatomy"]["sharpness"][:, 0] for one in (trial, trial.other))
    shift = _onset(trial.other) - _onset(trial)
    at = np.clip(np.arange(len(mine)) + shift, 0, len(theirs) - 1)
    return _error(trial, theirs[at], WINDOW, BELOW)


def _onset(trial: Trial) -> int:
    """Within the record."""
    return trial["run"].spikes[0].onset - int(trial["run"].records["anatomy"]["steps"][0])


def a_ramp(trial: Trial) -> Trial:
    """The sharpness rises evenly from half of 2/lr to a tenth above it, up to the onset, with noise of 0.2 %."""
    onset = _onset(trial)
    sharpness = trial["run"].records["anatomy"]["sharpness"].copy()
    noise = np.random.default_rng(trial.seed).normal(scale=0.002, size=onset)
    sharpness[:onset, 0] = trial.threshold * (np.linspace(0.5, 1.1, onset) + noise)
    return with_record(trial, "run", "anatomy", sharpness=sharpness)


claim = Claim(
    says="the smaller-loss-as-sharper region is progressive sharpening: its rate tells when the sharpness crosses 2/lr",
    where="arXiv 2305.12133v1, abstract, read with Cohen et al., arXiv 2103.00065, section 3",
    rules="gd",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Anatomy(),
    applies=seen_to_cross,
    measure=error,
    unit="log ratio of predicted to real steps",
    cutoffs={
        **limits(PREDICTS, at_least=(-0.405,), at_most=(0.405,)),
        "line half: 10 steps": partial(error, window=WINDOW // 2),
        "line twice: 40 steps": partial(error, window=2 * WINDOW),
        "passed at 0.95": partial(error, below=0.95),
        "passed at 0.8": partial(error, below=0.8),
    },
    predicts=PREDICTS,
    positive=Control(says="a sharpness that rises evenly, with noise of 0.2 %", plant=a_ramp),
    reading="A rate that tells the time: an equivalence, on average within a factor of two.",
    cannot_tell="Only runs that cross and spike are asked; `spikes-foretold` asks of runs that spike and runs that do not. "
    "A straight line through twenty steps knows nothing of what bends the way.",
    control=Control(says="the rate of another seed's run at the same steps", measure=by_a_stranger),
)
