"""The flatter the eigendirection, the higher the frequency of its deviation."""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_B,
    Claim,
    Control,
    Directions,
    Prediction,
    Trial,
    paper_domain,
)
from spikecheck.measures import centroid, spearman

PAIRS = 12


def spikes(trial: Trial) -> bool:
    """The run spikes."""
    return trial.trunk.has_spike


def _centroids(trial: Trial) -> np.ndarray:
    deviations = trial["run"].records["directions"]["deviation"][:, :, 0]
    return np.array([centroid(deviation) for deviation in deviations])


def order(trial: Trial, pairs: int = PAIRS) -> float:
    """Spearman's rho of an eigendirection's rank, 1 to 12, and the spectral centroid of its deviation at the onset."""
    return spearman(np.arange(pairs, dtype=np.float64), _centroids(trial)[:pairs])


def permuted(trial: Trial) -> float:
    """The same with the ranks permuted at random."""
    return spearman(np.random.default_rng(trial.seed).permutation(PAIRS).astype(np.float64), _centroids(trial))


claim = Claim(
    says="the deviation in flatter eigendirections is of higher frequency",
    where="arXiv 2305.12133v1, section on frequency",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Directions(at="onset", pairs=PAIRS),
    applies=spikes,
    measure=order,
    unit="Spearman rho of rank and centroid",
    cutoffs={"ranks half: 1 to 6": partial(order, pairs=PAIRS // 2)},
    predicts=Prediction(at_least=0.5, of_seeds=0.8, level=0.95),
    control=Control(says="the ranks permuted at random", measure=permuted),
)
