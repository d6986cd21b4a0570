"""A loss spike makes the input weights condense.

Each spiking run is judged against its calm twin: the same seed and the same weights up to just before the spike, then
a quarter of the learning rate for as many steps as cover the same lr x steps. Only twins that are verified never to
spike count. What both twins gain is training; what only one gains comes with the spike: the spike itself, and the
ceiling of 2/lr on the sharpness that comes with the larger rate. `spike-effect-decomposed` tells these two apart.
"""

from functools import partial

import numpy as np

from spikecheck import (
    MNIST1D_ADAM,
    MNIST1D_BATCHES,
    SETTING_A,
    Average,
    Claim,
    Condition,
    Continue,
    Control,
    LowerRate,
    Map,
    Setting,
    Trial,
    Variant,
    aligned,
    condensing_domain,
    limits,
    with_weights,
)
from spikecheck.core.run import Snapshot
from spikecheck.measures import alignment, effective_ratio, random_alignment

HORIZON = 3_000
PREDICTS = Average(above=0.0, worth=0.02)
"""Between random directions of two numbers, mean |cos| 2/pi, and full condensation lie 0.36: a twentieth of that is little."""


def spiking(setting: Setting, horizon: int = HORIZON) -> Setting:
    """Goes on through the spike."""
    return setting.but(intervention=Continue(horizon=horizon))


def calm(setting: Setting, horizon: int = HORIZON) -> Setting:
    """The calm twin: a quarter of the learning rate, four times as many steps."""
    return setting.but(intervention=LowerRate(factor=0.25, horizon=horizon))


def calmer(setting: Setting) -> Setting:
    """A second twin without the spike: a fifth of the learning rate."""
    return setting.but(intervention=LowerRate(factor=0.2, horizon=HORIZON))


def only_one_spikes(trial: Trial) -> bool:
    """The run spikes, late enough for twins to part before, and its calm twin never does."""
    return trial.trunk.has_spike and not trial["calm"].has_spike


def _end(trial: Trial, arm: str) -> Snapshot:
    return trial[arm].snapshots["end"]


def gain(trial: Trial) -> float:
    """Mean |cos| between input weights at the end: the spiking run's minus its calm twin's, in [-1, 1].

    Both start from the same weights, so this is the difference of their gains.
    """
    return alignment(_end(trial, "spiking").input_weights) - alignment(_end(trial, "calm").input_weights)


def rise(trial: Trial) -> float:
    """Mean |cos| between input weights of the spiking run: at the end minus where the twins part."""
    return alignment(_end(trial, "spiking").input_weights) - alignment(
        trial["spiking"].snapshots["start"].input_weights
    )


def beyond_chance(trial: Trial) -> float:
    """Mean |cos| between input weights of the spiking run at the end, less that of random directions."""
    weights = _end(trial, "spiking").input_weights
    return alignment(weights) - random_alignment(weights.shape[1])


def weighted_gain(trial: Trial) -> float:
    """The gain with every pair weighted by its neurons' |a||u|."""
    return _weighted(_end(trial, "spiking")) - _weighted(_end(trial, "calm"))


def fewer_directions(trial: Trial) -> float:
    """Effective ratio at the end: the calm twin's minus the spiking run's, in [-1, 1]."""
    return effective_ratio(_end(trial, "calm").input_weights) - effective_ratio(_end(trial, "spiking").input_weights)


def _weighted(at: Snapshot) -> float:
    return alignment(at.input_weights, np.linalg.norm(at.output_weights, axis=1))


def condensed(trial: Trial) -> Trial:
    """The spiking run ends with its twin's weights, turned together until the largest of the three effects is 0.05."""
    weights = _end(trial, "calm").input_weights
    start = alignment(trial["spiking"].snapshots["start"].input_weights)
    wanted = max(alignment(weights), start, random_alignment(weights.shape[1])) + 0.05
    return with_weights(trial, "spiking", "end", aligned(weights, min(wanted, 0.999)))


def _followed_for(horizon: int) -> Variant:
    return Variant(arms={"spiking": partial(spiking, horizon=horizon), "calm": partial(calm, horizon=horizon)})


claim = Claim(
    says="loss spikes can facilitate condensation, i.e., input weights evolve towards the same",
    where="arXiv 2305.12133v1, abstract; v2 likewise",
    kind="tendency",
    domain=condensing_domain(),
    beside={"setting A": SETTING_A},
    further={"mnist1d, batches of 20": MNIST1D_BATCHES, "mnist1d, Adam": MNIST1D_ADAM},
    arms={"spiking": spiking, "calm": calm},
    applies=only_one_spikes,
    measure=gain,
    unit="gain of mean |cos| over the calm twin",
    also=(
        Condition(measure=rise, unit="rise of mean |cos| since the twins part", predicts=PREDICTS),
        Condition(measure=beyond_chance, unit="mean |cos| beyond random directions", predicts=PREDICTS),
    ),
    cutoffs={
        **limits(PREDICTS, worth=(0.01, 0.04)),
        "horizon half: 1,500 steps": _followed_for(HORIZON // 2),
        "horizon twice: 6,000 steps": _followed_for(2 * HORIZON),
    },
    companions={"gain of weighted mean |cos|": weighted_gain, "fall of the effective ratio": fewer_directions},
    predicts=PREDICTS,
    positive=Control(says="the calm twin's weights, turned together by 0.05 of mean |cos|", plant=condensed),
    quotes="loss spikes can facilitate condensation, i.e., input weights evolve towards the same",
    reading="Can is no law: an average effect, of the spiking run against its twin. Evolve towards the same is said of "
    "the run itself: its alignment rises, and beyond that of random directions.",
    cannot_tell="The calm twin lacks the spike and the ceiling on its sharpness, and which of the two matters is not told. "
    "Alignment weighs every neuron alike, however little it contributes.",
    control=Control(
        says="two twins that both go round the spike, at a quarter and at a fifth of the learning rate",
        arms={"spiking": calmer, "calm": calm},
    ),
    maps=(Map(x="init_scale", x_values=(0.5, 1.0, 1.5), y="lr", y_values=(0.075, 0.1, 0.125, 0.15)),),
)
