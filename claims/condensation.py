"""A loss spike makes the input weights condense.

Each spiking run is judged against its calm twin: the same seed and the same weights up to just before the spike, then a
learning rate too small to be unstable, for as many steps as cover the same lr x steps. What both twins gain is training;
what only one gains is the spike.
"""

from functools import partial

import numpy as np

from spikecheck import (
    MNIST1D_ADAM,
    MNIST1D_BATCHES,
    SETTING_B,
    Claim,
    Continue,
    Control,
    LowerRate,
    Map,
    Prediction,
    Setting,
    Trial,
    Variant,
    paper_domain,
)
from spikecheck.core.run import Snapshot
from spikecheck.measures import alignment, effective_ratio

HORIZON = 3_000


def spiking(setting: Setting, horizon: int = HORIZON) -> Setting:
    """Goes on through the spike."""
    return setting.but(intervention=Continue(horizon=horizon))


def calm(setting: Setting, horizon: int = HORIZON) -> Setting:
    """The twin that does not spike with it: its own threshold is four times as high."""
    return setting.but(intervention=LowerRate(factor=0.25, horizon=horizon))


def calmer(setting: Setting) -> Setting:
    """A second calm twin, to compare the first with: neither takes part in the spike."""
    return setting.but(intervention=LowerRate(factor=0.125, horizon=HORIZON))


def spikes(trial: Trial) -> bool:
    """The run spikes, late enough for twins to part before."""
    return trial.trunk.has_spike


def gain(trial: Trial) -> float:
    """Mean |cos| between input weights at the end: the spiking run's minus its calm twin's, in [-1, 1].

    Both start from the same weights, so this is the difference of their gains.
    """
    spiked, stayed = (alignment(trial[arm].snapshots["end"].input_weights) for arm in ("spiking", "calm"))
    return spiked - stayed


def weighted_gain(trial: Trial) -> float:
    """The same with every pair weighted by its neurons' |a||u|."""
    spiked, stayed = (_end(trial, arm) for arm in ("spiking", "calm"))
    return _weighted(spiked) - _weighted(stayed)


def fewer_directions(trial: Trial) -> float:
    """Effective ratio at the end: the calm twin's minus the spiking run's, in [-1, 1]."""
    spiked, stayed = (_end(trial, arm) for arm in ("spiking", "calm"))
    return effective_ratio(stayed.input_weights) - effective_ratio(spiked.input_weights)


def _end(trial: Trial, arm: str) -> Snapshot:
    return trial[arm].snapshots["end"]


def _weighted(at: Snapshot) -> float:
    return alignment(at.input_weights, np.linalg.norm(at.output_weights, axis=1))


def _followed_for(horizon: int) -> Variant:
    return Variant(arms={"spiking": partial(spiking, horizon=horizon), "calm": partial(calm, horizon=horizon)})


claim = Claim(
    says="loss spikes can facilitate condensation, i.e., input weights evolve towards the same direction",
    where="arXiv 2305.12133v1, abstract",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    further={"mnist1d, batches of 20": MNIST1D_BATCHES, "mnist1d, Adam": MNIST1D_ADAM},
    arms={"spiking": spiking, "calm": calm},
    applies=spikes,
    measure=gain,
    unit="gain of mean |cos|",
    cutoffs={
        "horizon half: 1,500 steps": _followed_for(HORIZON // 2),
        "horizon twice: 6,000 steps": _followed_for(2 * HORIZON),
    },
    companions={"gain of weighted mean |cos|": weighted_gain, "fall of the effective ratio": fewer_directions},
    predicts=Prediction(above=0.0, of_seeds=0.8, level=0.95),
    control=Control(
        says="two calm twins, at 1/4 and at 1/8 of the learning rate: neither goes through the spike",
        arms={"spiking": calm, "calm": calmer},
    ),
    maps=(Map(x="init_scale", x_values=(0.25, 0.5, 1.0, 1.5, 2.0), y="lr", y_values=(0.05, 0.075, 0.1, 0.125, 0.15)),),
)
