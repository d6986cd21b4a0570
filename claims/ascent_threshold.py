"""The deviation along the first eigendirection grows exactly while the sharpness is above the stability threshold."""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_B,
    Anatomy,
    Claim,
    Control,
    Prediction,
    Trial,
    Variant,
    paper_domain,
)
from spikecheck.measures import ascent, growth, sign_agreement

BAND = 0.01
FEWEST = 20
"""Steps outside the band around 2 that a share must rest on."""


def _rise(trial: Trial) -> slice | None:
    record = trial["run"].records["anatomy"]
    spike = trial["run"].spikes[0]
    first = int(record["steps"][0])
    return ascent(record["sharpness"][:, 0], trial.threshold, spike.onset - first, spike.peak - first)


def _agreement(trial: Trial, band: float) -> tuple[float, int]:
    record, rise = trial["run"].records["anatomy"], _rise(trial)
    factors = growth(record["swing"][rise, 0], record["next_swing"][rise, 0])
    return sign_agreement(factors, record["sharpness"][rise, 0], 2.0 / trial.threshold, band)


def long_enough(trial: Trial, band: float = BAND, fewest: int = FEWEST) -> bool:
    """The ascent is recorded from the crossing of 2/lr on, with at least 20 steps outside a 1 % band around 2."""
    return _rise(trial) is not None and _agreement(trial, band)[1] >= fewest


def agreement(trial: Trial, band: float = BAND) -> float:
    """Share of the ascent's steps in which growth > 1 agrees with lr lambda_max > 2, in [0, 1]."""
    return _agreement(trial, band)[0]


def agreement_with_another(trial: Trial) -> float:
    """The same share when lambda_max is another member's at the same steps; undefined where they share fewer than 20."""
    if trial.other is None:
        return float("nan")
    mine, theirs, rise = trial["run"].records["anatomy"], trial.other["run"].records["anatomy"], _rise(trial)
    _, here, there = np.intersect1d(mine["steps"][rise], theirs["steps"], assume_unique=True, return_indices=True)
    factors = growth(mine["swing"][rise, 0], mine["next_swing"][rise, 0])[here]
    share, counted = sign_agreement(factors, theirs["sharpness"][there, 0], 2.0 / trial.threshold, BAND)
    return share if counted >= FEWEST else float("nan")


def _banded(band: float) -> Variant:
    return Variant(measure=partial(agreement, band=band), applies=partial(long_enough, band=band))


claim = Claim(
    says="the deviation along the first eigendirection grows exactly while lr x lambda_max > 2",
    where="arXiv 2305.12133v1, abstract",
    rules="threshold",
    kind="law",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Anatomy(),
    applies=long_enough,
    measure=agreement,
    unit="share of the ascent's steps",
    cutoffs={
        "band half: 0.5 %": _banded(BAND / 2),
        "band twice: 2 %": _banded(2 * BAND),
        "fewest steps half: 10": Variant(applies=partial(long_enough, fewest=FEWEST // 2)),
        "fewest steps twice: 40": Variant(applies=partial(long_enough, fewest=2 * FEWEST)),
    },
    predicts=Prediction(at_least=0.95, of_seeds=0.8, level=0.95),
    control=Control(says="judged with lambda_max of another member at the same steps", measure=agreement_with_another),
)
