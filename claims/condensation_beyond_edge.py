"""At the same ceiling on the sharpness, the spikes themselves align the input weights.

The twin has the same seed, weights and learning rate, and its sharpness is held at 2/lr, where the spiking run's
hovers; but it does not oscillate. So what the ceiling does, both have. In the spiking run it is the oscillation that
brings the ceiling about, and in the twin it is imposed: this is the direct effect of spikes at a given ceiling, and
not all that they do.
"""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_A,
    SETTING_B,
    Average,
    Claim,
    Continue,
    Control,
    Hold,
    Setting,
    Trial,
    Variant,
    aligned,
    condensing_domain,
    limits,
    with_weights,
)
from spikecheck.core.run import Snapshot
from spikecheck.measures import alignment, effective_ratio

HORIZON = 3_000
"""As in `condensation`."""
PREDICTS = Average(above=0.0, worth=0.02)
"""As in `condensation`."""


def spiking(setting: Setting) -> Setting:
    """Goes on through the spike."""
    return setting.but(intervention=Continue(horizon=HORIZON))


def held(setting: Setting, every: int = 5, level: float = 1.0) -> Setting:
    """Goes on at the same learning rate and the same ceiling on the sharpness, without motion across the valley."""
    return setting.but(intervention=Hold(horizon=HORIZON, every=every, level=level))


def only_one_spikes(trial: Trial) -> bool:
    """The run spikes, late enough for twins to part before, and its held twin never does."""
    return trial.trunk.has_spike and not trial["held"].has_spike


def _end(trial: Trial, arm: str) -> Snapshot:
    return trial[arm].snapshots["end"]


def gain(trial: Trial) -> float:
    """Mean |cos| between input weights at the end: the spiking run's minus its held twin's, in [-1, 1]."""
    return alignment(_end(trial, "spiking").input_weights) - alignment(_end(trial, "held").input_weights)


def weighted_gain(trial: Trial) -> float:
    """The same with every pair weighted by its neurons' |a||u|."""
    return _weighted(_end(trial, "spiking")) - _weighted(_end(trial, "held"))


def fewer_directions(trial: Trial) -> float:
    """Effective ratio at the end: the held twin's minus the spiking run's, in [-1, 1]."""
    return effective_ratio(_end(trial, "held").input_weights) - effective_ratio(_end(trial, "spiking").input_weights)


def _weighted(at: Snapshot) -> float:
    return alignment(at.input_weights, np.linalg.norm(at.output_weights, axis=1))


def condensed(trial: Trial) -> Trial:
    """The spiking run ends with its twin's weights, turned together by 0.05 of mean |cos|."""
    weights = _end(trial, "held").input_weights
    return with_weights(trial, "spiking", "end", aligned(weights, min(alignment(weights) + 0.05, 0.999)))


def _held_at(level: float) -> Variant:
    return Variant(arms={"spiking": spiking, "held": partial(held, level=level)})


claim = Claim(
    says="at a given ceiling on the sharpness, loss spikes align the input weights",
    where="a reading of arXiv 2305.12133v1, abstract, as cause and effect",
    kind="tendency",
    rules="gd",
    domain=condensing_domain(),
    beside={"setting A": SETTING_A},
    further={"setting B, rate 0.15": SETTING_B.but(lr=0.15)},
    arms={"spiking": spiking, "held": held},
    applies=only_one_spikes,
    measure=gain,
    unit="gain of mean |cos| at an equal ceiling",
    cutoffs={
        **limits(PREDICTS, worth=(0.01, 0.04)),
        "ceiling 2 % lower": _held_at(0.98),
        "ceiling 2 % higher": _held_at(1.02),
    },
    companions={"gain of weighted mean |cos|": weighted_gain, "fall of the effective ratio": fewer_directions},
    predicts=PREDICTS,
    positive=Control(says="the held twin's weights, turned together by 0.05 of mean |cos|", plant=condensed),
    reading="The abstract says that spikes can facilitate condensation, and that this may be why they improve "
    "generalisation, rather than the control of lambda_max. That spikes align at equal lambda_max is our reading: an average.",
    cannot_tell="Holding imposes what the oscillation causes, so only the direct effect at a given ceiling is seen. "
    "The spiking run's sharpness hovers a little above its ceiling and saws, while the twin's stands still.",
    control=Control(
        says="two held twins, looked at every fourth and every fifth step: neither oscillates",
        arms={"spiking": partial(held, every=4), "held": held},
    ),
)
