"""Which trainings spike before they end is told half-way, by how fast the sharpness rises.

At setting A's rate halved, trainings of 2,100 steps are about as often with a spike as without. The sharpness of each is
read up to half-way, when none has spiked yet; a straight line through it either crosses 2/lr before the training ends,
which foretells a spike, or does not.
"""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_A,
    Average,
    Claim,
    Control,
    Domain,
    Ladder,
    SharpnessTrace,
    Trial,
    Variant,
    limits,
    with_record,
)
from spikecheck.core.run import Array

REFERENCE = SETTING_A.but(lr=0.05, steps=2_100)
"""The length at which about half of the trainings spike; chosen by counting spikes, sharpness not looked at."""
READ = 0.5
"""Part of the training after which the sharpness is not looked at."""
LINE = 0.25
"""Part of the training that the line goes through."""
PREDICTS = Average(above=0.6)
"""Right in more than 80 of 100: right counts 1, wrong -1."""


def still_calm(trial: Trial, read: float = READ) -> bool:
    """Half-way the training has not spiked, and its sharpness lies below 2/lr."""
    steps, sharpness = _seen(trial, read)
    calm = not trial.trunk.has_spike or trial.trunk.spikes[0].onset > read * trial.setting.steps
    return calm and len(steps) > 0 and bool(sharpness[-1] < trial.threshold)


def _seen(trial: Trial, read: float) -> tuple[Array, Array]:
    """Steps and sharpness at the checkpoints that have been seen by then."""
    record = trial["run"].records["sharpness"]
    seen = record["steps"] <= read * trial.setting.steps
    return record["steps"][seen], record["sharpness"][seen, 0]


def _foretold(trial: Trial, read: float, line: float) -> bool:
    """Whether the line crosses 2/lr before the training ends."""
    steps, sharpness = _seen(trial, read)
    recent = steps >= (read - line) * trial.setting.steps
    rate, level = np.polyfit(steps[recent] - steps[-1], sharpness[recent], 1)
    return bool(level + rate * (trial.setting.steps - steps[-1]) > trial.threshold)


def _right(trial: Trial, foretold: bool) -> float:
    return 1.0 if foretold == trial.trunk.has_spike else -1.0


def right(trial: Trial, read: float = READ, line: float = LINE) -> float:
    """1 where the training spikes as foretold half-way, or as foretold does not; else -1."""
    return _right(trial, _foretold(trial, read, line))


def by_a_stranger(trial: Trial) -> float:
    """The same, foretold by another seed's sharpness."""
    return float("nan") if trial.other is None else _right(trial, _foretold(trial.other, READ, LINE))


def spiked(trial: Trial) -> float:
    """1 where the training spikes, else 0."""
    return float(trial.trunk.has_spike)


def a_tell_tale(trial: Trial) -> Trial:
    """A straight sharpness, noise of 1 %: to a tenth above 2/lr where the training spikes, else to a tenth below."""
    record = trial["run"].records["sharpness"]
    end = 1.1 if trial.trunk.has_spike else 0.9
    path = 0.3 + (end - 0.3) * record["steps"] / trial.setting.steps
    noise = np.random.default_rng(trial.seed).normal(scale=0.01, size=len(path))
    return with_record(trial, "run", "sharpness", sharpness=trial.threshold * (path + noise)[:, None])


claim = Claim(
    says="which trainings spike before they end is told half-way by how fast their sharpness rises",
    where="arXiv 2305.12133v1, abstract, read with Cohen et al., arXiv 2103.00065, section 3",
    rules="gd",
    kind="tendency",
    domain=Domain(REFERENCE, width=Ladder(20, 50), init_scale=Ladder(1.0, 0.5), activation=Ladder("tanh", "gelu")),
    probe=SharpnessTrace(),
    detects_spikes=False,
    applies=still_calm,
    measure=right,
    unit="foretold rightly (1) or wrongly (-1)",
    cutoffs={
        **limits(PREDICTS, above=(0.4, 0.8)),
        "line half: an eighth of the training": partial(right, line=LINE / 2),
        "line twice: all of it until then": partial(right, line=2 * LINE),
        "read after a third": Variant(applies=partial(still_calm, read=1 / 3), measure=partial(right, read=1 / 3)),
        "read after two thirds": Variant(applies=partial(still_calm, read=2 / 3), measure=partial(right, read=2 / 3)),
    },
    companions={"share of trainings that spike": spiked},
    predicts=PREDICTS,
    positive=Control(says="a sharpness that goes straight to above 2/lr or to below it, with noise", plant=a_tell_tale),
    reading="Runs that spike against runs that do not: an average, right in more than 80 of 100.",
    cannot_tell="Where nearly all trainings spike, or none, a stranger's sharpness tells as much, and the answer is invalid. "
    "A crossing after which no spike comes counts against the claim, and so does a spike that comes without one.",
    control=Control(says="foretold by another seed's sharpness", measure=by_a_stranger),
)
