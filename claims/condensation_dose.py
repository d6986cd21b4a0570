"""The further the learning rate overshoots the edge, the more a spike condenses: a dose and its response.

Correlating spikes' heights with gains over seeds would mix the dose with everything else that differs between seeds. So one
seed gets both doses: from the same weights, before the same spike, one twin goes on at the full learning rate and one at
four fifths of it, over the same learning rate x steps.
"""

import numpy as np

from spikecheck import (
    SETTING_A,
    SETTING_B,
    Claim,
    Continue,
    Control,
    Domain,
    Ladder,
    LowerRate,
    Prediction,
    Setting,
    Trial,
)
from spikecheck.core.run import Snapshot
from spikecheck.measures import alignment, effective_ratio

HORIZON = 3_000


def strong(setting: Setting) -> Setting:
    """Goes on at the full learning rate."""
    return setting.but(intervention=Continue(horizon=HORIZON))


def mild(setting: Setting) -> Setting:
    """Goes on at four fifths of the learning rate: it spikes too, less far above its threshold."""
    return setting.but(intervention=LowerRate(factor=0.8, horizon=HORIZON))


def calm(setting: Setting) -> Setting:
    """No spike: a quarter of the learning rate."""
    return setting.but(intervention=LowerRate(factor=0.25, horizon=HORIZON))


def calmer(setting: Setting) -> Setting:
    """No spike either: four fifths of a quarter."""
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


claim = Claim(
    says="the gain in condensation rises with how far the learning rate overshoots the edge of stability",
    where="spikecheck's plan, from first looks at arXiv 2305.12133",
    kind="tendency",
    domain=Domain(
        SETTING_A.but(lr=0.125),
        width=Ladder(20, 50, 100, 200),
        lr=Ladder(0.125, 0.1, 0.075),
        init_scale=Ladder(1.0, 0.5, 1.5),
        activation=Ladder("tanh", "xtanh", "gelu", "relu"),
        target=Ladder("sin x", "sin x + sin 2x", "sin x + sin 4x"),
    ),
    beside={"setting B": SETTING_B.but(lr=0.15)},
    arms={"strong": strong, "mild": mild},
    applies=spikes,
    measure=response,
    unit="difference of mean |cos|",
    companions={
        "difference of weighted mean |cos|": weighted_response,
        "difference of effective ratios": fewer_directions,
    },
    predicts=Prediction(above=0.0, of_seeds=0.8, level=0.95),
    control=Control(
        says="the same two doses at a quarter of the learning rate, where neither spikes",
        arms={"strong": calm, "mild": calmer},
    ),
)
