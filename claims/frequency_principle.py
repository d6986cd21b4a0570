"""Low frequencies are fitted first."""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_B,
    Claim,
    Control,
    Domain,
    Ladder,
    Prediction,
    Trail,
    Trial,
    limits,
    with_record,
)
from spikecheck.core.run import Array

LOW, HIGH = 1, 3


def always(trial: Trial) -> bool:
    """Every run that does not diverge."""
    return True


def _fitted(trial: Trial, pattern: Array, left: float = 0.5) -> float:
    """The first checkpoint from which a pattern [M] is fitted to half; one after the last where it never is."""
    record = trial["run"].records["trail"]
    amplitudes = record["outputs"][:, :, 0] @ pattern
    wanted = float(trial.problem().y_test[:, 0] @ pattern)
    close = np.abs(amplitudes - wanted) < left * abs(wanted)
    steps = np.append(record["steps"], 2 * record["steps"][-1] - record["steps"][-2])
    return float(steps[np.argmax(close)] if close.any() else steps[-1]) + 1.0


def order(trial: Trial, left: float = 0.5) -> float:
    """Log of the steps until sin 3x is fitted to half, over those until sin x is."""
    x = trial.problem().x_test[:, 0]
    high, low = (_fitted(trial, np.sin(frequency * x), left) for frequency in (HIGH, LOW))
    return float(np.log(high / low))


def halves(trial: Trial) -> float:
    """The same for sin 3x on the right half of the interval over sin 3x on the left one: one frequency, two places."""
    x = trial.problem().x_test[:, 0]
    wave = np.sin(HIGH * x)
    return float(np.log(_fitted(trial, wave * (x > 0)) / _fitted(trial, wave * (x < 0))))


PREDICTS = Prediction(above=float(np.log(2.0)), of_seeds=0.8, level=0.95)
"""Twice the steps: any two waves are fitted one before the other, and the sign alone is a coin's."""


def low_fitted_first(trial: Trial) -> Trial:
    """sin x is fitted in 200 steps, sin 3x in 1,000."""
    record, x = trial["run"].records["trail"], trial.problem().x_test[:, 0]
    grown = [1 - np.exp(-record["steps"] / steps) for steps in (200.0, 1_000.0)]
    outputs = sum(part[:, None] * np.sin(f * x) for part, f in zip(grown, (LOW, HIGH), strict=True))
    return with_record(trial, "run", "trail", outputs=np.asarray(outputs)[:, :, None])


claim = Claim(
    says="neural networks fit low frequencies first",
    where="Xu et al., arXiv 1901.06523, abstract",
    kind="tendency",
    domain=Domain(
        SETTING_B,
        width=Ladder(50, 20, 100),
        lr=Ladder(0.1, 0.05, 0.025),
        init_scale=Ladder(1.0, 0.5, 2.0),
        activation=Ladder("tanh", "gelu", "relu"),
    ),
    probe=Trail(),
    detects_spikes=False,
    applies=always,
    measure=order,
    unit="log ratio of steps, sin 3x over sin x",
    cutoffs={
        **limits(PREDICTS, above=(0.0, float(np.log(4.0)))),
        "what is left half: a quarter": partial(order, left=0.25),
        "what is fitted half: a quarter": partial(order, left=0.75),
    },
    predicts=PREDICTS,
    positive=Control(says="outputs that take sin x five times as fast as sin 3x", plant=low_fitted_first),
    reading="Said of networks in general, so a share of runs; first is read as in half of the steps.",
    cannot_tell="Two frequencies of one target stand for low and high. "
    "Checkpoints lie fifty steps apart, and what is fitted between two of them counts as fitted together.",
    control=Control(says="one frequency in two places: sin 3x on the right half over the left half", measure=halves),
)
