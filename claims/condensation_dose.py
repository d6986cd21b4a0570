"""The further the learning rate overshoots the edge, the more the run condenses: a dose and its response.

Correlating spikes' heights with gains over seeds would mix the dose with everything else that differs between seeds.
So one seed gets both doses: from the same weights, before the same spike, one twin goes on at the full learning rate
and one at four fifths of it, over the same learning rate x steps. The doses differ in their spikes and in their
ceilings on the sharpness alike.
"""

import numpy as np

from spikecheck import (
    SETTING_A,
    SETTING_B,
    Average,
    Claim,
    Continue,
    Control,
    Domain,
    Ladder,
    LowerRate,
    Setting,
    Trial,
    aligned,
    limits,
    with_weights,
)
from spikecheck.core.run import Snapshot
from spikecheck.measures import alignment, effective_ratio

HORIZON = 3_000
PREDICTS = Average(above=0.0, worth=0.02)
"""As in `condensation`."""


def strong(setting: Setting) -> Setting:
    """Goes on at the full learning rate."""
    return setting.but(intervention=Continue(horizon=HORIZON))


def mild(setting: Setting) -> Setting:
    """Goes on at four fifths of the learning rate, less far above its threshold."""
    return setting.but(intervention=LowerRate(factor=0.8, horizon=HORIZON))


def quarter(setting: Setting) -> Setting:
    """The full dose at a quarter of the rate: below its threshold."""
    return setting.but(intervention=LowerRate(factor=0.25, horizon=HORIZON))


def fifth(setting: Setting) -> Setting:
    """Four fifths of that: below its threshold too."""
    return setting.but(intervention=LowerRate(factor=0.2, horizon=HORIZON))


def spikes(trial: Trial) -> bool:
    """The run spikes, late enough for twins to part before."""
    return trial.trunk.has_spike


def response(trial: Trial) -> float:
    """Mean |cos| between input weights at the end: the strong dose's minus the mild one's."""
    high, low = (alignment(trial[arm].snapshots["end"].input_weights) for arm in ("strong", "mild"))
    return high - low


def weighted_response(trial: Trial) -> float:
    """The same with every pair weighted by its neurons' |a||u|."""
    high, low = (trial[arm].snapshots["end"] for arm in ("strong", "mild"))
    return _weighted(high) - _weighted(low)


def fewer_directions(trial: Trial) -> float:
    """Effective ratio at the end: the mild dose's minus the strong one's, in [-1, 1]."""
    high, low = (trial[arm].snapshots["end"] for arm in ("strong", "mild"))
    return effective_ratio(low.input_weights) - effective_ratio(high.input_weights)


def _weighted(at: Snapshot) -> float:
    return alignment(at.input_weights, np.linalg.norm(at.output_weights, axis=1))


def condensed(trial: Trial) -> Trial:
    """The strong dose ends with the mild one's weights, turned together by 0.05 of mean |cos|."""
    weights = trial["mild"].snapshots["end"].input_weights
    return with_weights(trial, "strong", "end", aligned(weights, min(alignment(weights) + 0.05, 0.999)))


claim = Claim(
    says="condensation rises with how far the learning rate overshoots the edge of stability",
    where="spikecheck's plan, from first looks at arXiv 2305.12133",
    kind="tendency",
    domain=Domain(
        SETTING_B.but(lr=0.125),
        width=Ladder(50, 20, 100),
        lr=Ladder(0.125, 0.1, 0.075),
        init_scale=Ladder(1.0, 0.5, 1.5),
        activation=Ladder("tanh", "gelu", "relu"),
        target=Ladder("sin x + sin 3x", "sin x + sin 2x", "sin x"),
    ),
    beside={"setting A, rate 0.125": SETTING_A.but(lr=0.125)},
    arms={"strong": strong, "mild": mild},
    applies=spikes,
    measure=response,
    unit="difference of mean |cos|",
    cutoffs=limits(PREDICTS, worth=(0.01, 0.04)),
    companions={
        "difference of weighted mean |cos|": weighted_response,
        "difference of effective ratios": fewer_directions,
    },
    predicts=PREDICTS,
    positive=Control(says="the mild dose's weights, turned together by 0.05 of mean |cos|", plant=condensed),
    reading="A response to a dose: an average difference between two doses on the same seeds.",
    cannot_tell="A larger rate means more overshoot and a lower ceiling on the sharpness, and these are not told apart. "
    "Weights that point along an axis count as condensed, whichever neuron a coordinate belongs to.",
    control=Control(
        says="the same two doses at a quarter of the learning rate, far below the threshold at the fork",
        arms={"strong": quarter, "mild": fifth},
    ),
)
