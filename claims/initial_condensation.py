"""The smaller the initialisation, the fewer directions the input weights condense on at first.

The source gives a number, at most twice the activation's multiplicity, in the limit of small weights; what a finite
size can show is the way there. Weights ~ N(0, width^(-2 gamma)): a larger gamma is a smaller start.
"""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_A,
    Average,
    Claim,
    Condition,
    Control,
    Domain,
    Ladder,
    Setting,
    Trail,
    Trial,
    Variant,
    limits,
    with_record,
)
from spikecheck.measures import effective_ratio, spearman

MULTIPLICITY = {"tanh": 1, "xtanh": 2}
"""Order of the first derivative of the activation that does not vanish at 0."""
REFERENCE = SETTING_A.but(width=50, gamma=0.5, steps=3_000)
GAMMAS = {"gamma 0.5": 0.5, "gamma 1": 1.0, "gamma 1.5": 1.5, "gamma 2": 2.0, "gamma 3": 3.0}
FALLEN = 0.99
"""The initial stage ends where the loss has fallen by one per cent."""
PREDICTS = Average(below=-0.5)


def _start(setting: Setting, gamma: float) -> Setting:
    """From weights of standard deviation width^-gamma."""
    return setting.but(gamma=gamma)


def leave_their_starts(trial: Trial, left: float = FALLEN) -> bool:
    """From every start the loss falls by one per cent at some time."""
    return all(bool((run.loss < left * run.loss[0]).any()) for run in trial.arms.values())


def trend_at_the_start(trial: Trial) -> float:
    """Spearman's rho of gamma and the number of directions before the first step, in [-1, 1]."""
    weights = [trial[arm].records["trail"]["input_weights"][0] for arm in GAMMAS]
    return spearman(np.array(list(GAMMAS.values())), np.array([effective_ratio(w) * len(w) for w in weights]))


def _directions(trial: Trial, arm: str, above: float, left: float) -> float:
    """Directions (cos > 0.95) of the input weights where the loss has fallen by 1 %."""
    run = trial[arm]
    end = int(np.argmax(run.loss < left * run.loss[0]))
    record = run.records["trail"]
    reached = np.flatnonzero(record["steps"] >= end)
    weights = record["input_weights"][reached[0] if len(reached) else -1]
    return effective_ratio(weights, above) * len(weights)


def trend(trial: Trial, above: float = 0.95, left: float = FALLEN) -> float:
    """Spearman's rho of gamma and the number of directions where the loss has fallen by 1 %, in [-1, 1]."""
    counts = np.array([_directions(trial, arm, above, left) for arm in GAMMAS])
    return spearman(np.array(list(GAMMAS.values())), counts)


def smallest(trial: Trial) -> float:
    """Directions from the smallest start over twice the activation's multiplicity: 1 in the source's limit."""
    return _directions(trial, "gamma 3", 0.95, FALLEN) / (2 * MULTIPLICITY[trial.setting.activation])


def permuted(trial: Trial) -> float:
    """The same with the starts in a random order."""
    gammas = np.random.default_rng(trial.seed).permutation(list(GAMMAS.values()))
    return spearman(gammas, np.array([_directions(trial, arm, 0.95, FALLEN) for arm in GAMMAS]))


def condensing(trial: Trial) -> Trial:
    """From the second checkpoint on input weights point in 20, 10, 6, 4 and 2 directions, the fewer the smaller the start."""
    for arm, count in zip(GAMMAS, (20, 10, 6, 4, 2), strict=True):
        weights = trial[arm].records["trail"]["input_weights"]
        angles = 2 * np.pi * (np.arange(weights.shape[1]) % count) / count
        clustered = np.broadcast_to(np.stack([np.cos(angles), np.sin(angles)], axis=1), weights.shape).copy()
        clustered[0] = weights[0]
        trial = with_record(trial, arm, "trail", input_weights=clustered)
    return trial


def _fallen(left: float) -> Variant:
    return Variant(measure=partial(trend, left=left), applies=partial(leave_their_starts, left=left))


claim = Claim(
    says="the smaller the initialisation, the fewer directions the input weights condense on in the initial stage",
    where="Zhou et al., arXiv 2105.11686, abstract",
    kind="tendency",
    domain=Domain(
        REFERENCE,
        width=Ladder(50, 20, 100),
        lr=Ladder(0.1, 0.05),
        activation=Ladder("tanh", "xtanh"),
        target=Ladder("sin x", "sin x + sin 2x", "sin x + sin 4x"),
    ),
    arms={name: partial(_start, gamma=gamma) for name, gamma in GAMMAS.items()},
    probe=Trail(),
    detects_spikes=False,
    applies=leave_their_starts,
    measure=trend,
    unit="Spearman rho of gamma and directions",
    companions={"directions from the smallest start over twice the multiplicity": smallest},
    cutoffs={
        **limits(PREDICTS, below=(-0.25, -0.75)),
        "cosine's distance to 1 half: 0.975": partial(trend, above=0.975),
        "cosine's distance to 1 twice: 0.9": partial(trend, above=0.9),
        "fall of the loss half: 0.5 %": _fallen(0.995),
        "fall of the loss twice: 2 %": _fallen(0.98),
    },
    predicts=PREDICTS,
    also=(
        Condition(
            measure=trend_at_the_start,
            unit="Spearman rho before the first step",
            predicts=Average(at_least=-0.25),
        ),
    ),
    positive=Control(says="weights in fewer directions the smaller the start", plant=condensing),
    reading="A limit of small weights, read as a trend towards it: an average over seeds, and a clear one.",
    cannot_tell="A trend over five sizes does not show the limit, whose number stands beside it unjudged. "
    "Checkpoints lie fifty steps apart, so the initial stage may end between two of them.",
    control=Control(says="the starts in a random order", measure=permuted),
)
