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
    limits,
    paper_domain,
    with_record,
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


PREDICTS = Prediction(at_least=0.5, of_seeds=0.8, level=0.95)


def ordered(trial: Trial) -> Trial:
    """The k-th direction's deviation is the k-th cosine mode, with noise of half its size."""
    record = trial["run"].records["directions"]
    grid = (np.arange(record["deviation"].shape[1]) + 0.5) / record["deviation"].shape[1]
    waves = np.cos(np.pi * np.arange(1, PAIRS + 1)[:, None] * grid)
    noise = np.random.default_rng(trial.seed).normal(scale=0.5 * 0.7, size=waves.shape)
    return with_record(trial, "run", "directions", deviation=(waves + noise)[:, :, None])


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
    cutoffs={"ranks half: 1 to 6": partial(order, pairs=PAIRS // 2), **limits(PREDICTS, at_least=(0.25, 0.75))},
    predicts=PREDICTS,
    positive=Control(says="deviations whose frequency rises with their rank, with noise", plant=ordered),
    reading="Said of eigendirections in general, so a share of runs; rho of 0.5 for a clear order was written first.",
    cannot_tell="Ranks among twelve say nothing of the hundreds of directions below them. "
    "Eigenvalues close to one another have directions that are mixtures, whose order means little.",
    control=Control(says="the ranks permuted at random", measure=permuted),
)
