"""The curvature along the gradient tells at which steps the loss rises, better than the largest eigenvalue by any cut.

To second order a step of gradient descent changes the loss by -lr |g|^2 (1 - lr gHg/(2 gg)): it rises exactly where
the curvature along the gradient is above 2/lr. That it crosses later than lambda_max is no finding, since it is
smaller by definition. Nor would it be one that lambda_max tells little by the cut 2/lr, since it lies above 2/lr long
before. So lambda_max gets its best cut: of all its values in the run, the one by which it tells most.
"""

import numpy as np

from spikecheck import (
    SETTING_B,
    Anatomy,
    Average,
    Claim,
    Condition,
    Control,
    Trial,
    limits,
    paper_domain,
    with_record,
)
from spikecheck.core.run import Array
from spikecheck.measures import balanced_agreement

FEWEST = 5
"""Rising and falling steps that each share must rest on."""
PREDICTS = Average(above=0.0, worth=0.05)


def _tells(trial: Trial, curvature: Array) -> float:
    """How well a curvature above 2/lr tells the steps up to the peak in which the loss rises, in [0, 1]."""
    record = trial["run"].records["anatomy"]
    peak = trial["run"].spikes[0].peak - int(record["steps"][0])
    rises = np.diff(record["loss"][: peak + 1]) > 0
    return balanced_agreement(curvature[:peak] > trial.threshold, rises, FEWEST)


def _best(trial: Trial, curvature: Array) -> float:
    """The same by the best of all cuts in place of 2/lr."""
    record = trial["run"].records["anatomy"]
    peak = trial["run"].spikes[0].peak - int(record["steps"][0])
    rises = np.diff(record["loss"][: peak + 1]) > 0
    return max(balanced_agreement(curvature[:peak] > cut, rises, FEWEST) for cut in curvature[:peak])


def spikes(trial: Trial) -> bool:
    """The run spikes, with at least 5 rising and 5 falling steps in the record up to the peak."""
    return trial.trunk.has_spike and bool(
        np.isfinite(_tells(trial, trial["run"].records["anatomy"]["sharpness"][:, 0]))
    )


def advantage(trial: Trial) -> float:
    """Agreement of gHg/gg > 2/lr with a rising loss, less that of lambda_max above its best cut, in [-1, 1]."""
    record = trial["run"].records["anatomy"]
    return _tells(trial, record["gradient_curvature"]) - _best(trial, record["sharpness"][:, 0])


def by_the_threshold(trial: Trial) -> float:
    """Agreement of gHg/gg > 2/lr with a rising loss, less that of lambda_max > 2/lr, in [-1, 1]."""
    record = trial["run"].records["anatomy"]
    return _tells(trial, record["gradient_curvature"]) - _tells(trial, record["sharpness"][:, 0])


def over_the_largest(trial: Trial) -> float:
    """Largest ratio of gHg/gg to lambda_max over the record: above 1 for no symmetric matrix."""
    record = trial["run"].records["anatomy"]
    return float(np.max(record["gradient_curvature"] / record["sharpness"][:, 0]))


def of_a_stranger(trial: Trial) -> float:
    """The same with another seed's curvature along its gradient, its onset laid upon this one's."""
    if trial.other is None:
        return float("nan")
    mine, theirs = (one["run"].records["anatomy"] for one in (trial, trial.other))
    onsets = [
        one["run"].spikes[0].onset - int(one["run"].records["anatomy"]["steps"][0]) for one in (trial, trial.other)
    ]
    at = np.arange(len(mine["steps"])) + onsets[1] - onsets[0]
    curvature = theirs["gradient_curvature"][np.clip(at, 0, len(theirs["steps"]) - 1)]
    return _tells(trial, curvature) - _best(trial, mine["sharpness"][:, 0])


def telling(trial: Trial) -> Trial:
    """gHg/gg lies a fifth above 2/lr, or at lambda_max, where the loss rises, and a fifth below where it falls."""
    record = trial["run"].records["anatomy"]
    rises = np.diff(record["loss"], append=0.0) > 0
    curvature = np.minimum(trial.threshold * np.where(rises, 1.2, 0.8), record["sharpness"][:, 0])
    return with_record(trial, "run", "anatomy", gradient_curvature=curvature)


claim = Claim(
    says="the curvature along the gradient, and not the largest eigenvalue, tells when the loss rises",
    where="arXiv 2506.04805 (stated for Adam; here for gradient descent)",
    rules="gd",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Anatomy(),
    applies=spikes,
    measure=advantage,
    unit="excess of agreement with a rising loss over the best cut",
    cutoffs=limits(PREDICTS, worth=(0.025, 0.1)),
    predicts=PREDICTS,
    also=(
        Condition(
            measure=over_the_largest,
            unit="largest ratio of gHg/gg to lambda_max",
            predicts=Average(at_most=1.001),
        ),
    ),
    companions={"difference of agreement, both by 2/lr": by_the_threshold},
    positive=Control(says="a curvature that tells every step", plant=telling),
    reading="One quantity tells more than the other: an average difference over runs.",
    cannot_tell="Both curvatures are known only where they are computed, so nothing is predicted ahead of time. "
    "Steps within a few per cent of the threshold count like any other.",
    control=Control(says="another seed's curvature along its gradient, onset upon onset", measure=of_a_stranger),
)
