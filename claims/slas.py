"""Before a spike, training is where a smaller loss is sharper."""

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
    limits,
    paper_domain,
    with_record,
)
from spikecheck.measures import ascent, spearman

LONGEST = 200
"""Steps looked back; as written before any figure was seen. docs/decisions.md has the shares for 20 to 400."""
SHORTEST = 20


def _association(trial: Trial, after_peak: bool, longest: int) -> float:
    record = trial["run"].records["anatomy"]
    sharpness = record["sharpness"][:, 0]
    spike = trial["run"].spikes[0]
    first = int(record["steps"][0])
    if after_peak:
        window = slice(spike.peak - first, spike.peak - first + longest)
    else:
        rise = ascent(sharpness, trial.threshold, spike.onset - first, spike.peak - first)
        if rise is None:
            return float("nan")
        window = slice(max(0, rise.start - longest), rise.start)
    return spearman(record["loss"][window], sharpness[window])


def room_before_the_ascent(trial: Trial, shortest: int = SHORTEST) -> bool:
    """At least 20 recorded steps lie before the sharpness crosses the stability threshold on its way to the spike."""
    record = trial["run"].records["anatomy"]
    spike = trial["run"].spikes[0]
    first = int(record["steps"][0])
    rise = ascent(record["sharpness"][:, 0], trial.threshold, spike.onset - first, spike.peak - first)
    return rise is not None and rise.start >= shortest


def before(trial: Trial, longest: int = LONGEST) -> float:
    """Spearman's rho of loss and sharpness over the at most 200 steps before the ascent starts, in [-1, 1]."""
    return _association(trial, after_peak=False, longest=longest)


def after(trial: Trial) -> float:
    """The same over the recorded steps, at most 200, after the peak."""
    return _association(trial, after_peak=True, longest=LONGEST)


PREDICTS = Prediction(at_most=-0.8, of_seeds=0.8, level=0.95)


def lower_made_sharper(trial: Trial) -> Trial:
    """Before the ascent the sharpness is made to fall with the loss's rank, with noise of a tenth of its range."""
    record = trial["run"].records["anatomy"]
    spike, first = trial["run"].spikes[0], int(record["steps"][0])
    sharpness = record["sharpness"].copy()
    rise = ascent(sharpness[:, 0], trial.threshold, spike.onset - first, spike.peak - first)
    if rise is None:
        return trial
    ranks = record["loss"][: rise.start].argsort().argsort() / rise.start
    noise = np.random.default_rng(trial.seed).normal(scale=0.03, size=rise.start)
    sharpness[: rise.start, 0] = trial.threshold * (0.9 - 0.3 * ranks + noise).clip(max=0.99)
    return with_record(trial, "run", "anatomy", sharpness=sharpness)


claim = Claim(
    says="when the training enters a region with a smaller-loss-as-sharper structure, the loss spikes",
    where="arXiv 2305.12133v1, abstract (v2: lower-loss-as-sharper)",
    rules="threshold",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    probe=Anatomy(),
    applies=room_before_the_ascent,
    measure=before,
    unit="Spearman rho",
    cutoffs={
        "window half: 100 steps": partial(before, longest=100),
        "window twice: 400 steps": partial(before, longest=400),
        **limits(PREDICTS, at_most=(-0.6, -0.9)),
        "shortest window half: 10 steps": Variant(applies=partial(room_before_the_ascent, shortest=SHORTEST // 2)),
        "shortest window twice: 40 steps": Variant(applies=partial(room_before_the_ascent, shortest=2 * SHORTEST)),
    },
    predicts=PREDICTS,
    positive=Control(says="a sharpness that falls with the loss, with noise", plant=lower_made_sharper),
    quotes="When the training enters a region, which has a smaller-loss-as-sharper (SLAS) structure, "
    "the training becomes unstable",
    reading="Said of training in general, so a share of runs; how strongly smaller goes with sharper is not said, and "
    "rho of -0.8 or less was written first.",
    cannot_tell="A correlation over the steps before an ascent does not show that the structure causes it. "
    "What lies on the way is seen, and not the landscape around it.",
    control=Control(
        says="the steps after the peak, while the loss comes down",
        measure=after,
    ),
)
