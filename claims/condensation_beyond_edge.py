"""What condenses is the spike itself, not the sharpness at which training goes on.

Version 1 offers condensation as the reason why spikes help, "rather than simply controlling the value of" the largest
eigenvalue. So the spiking run is judged against a twin whose sharpness is held where the spiking run's is, with no spike: the
same seed, weights and learning rate, without the oscillation. The calm twin of `condensation` differs from it in both.
"""

import numpy as np

from spikecheck import (
    SETTING_B,
    Claim,
    Continue,
    Control,
    Hold,
    Prediction,
    Setting,
    Trial,
    paper_domain,
)
from spikecheck.core.run import Snapshot
from spikecheck.measures import alignment, effective_ratio

HORIZON = 3_000
"""As in `condensation`."""


def spiking(setting: Setting) -> Setting:
    """Goes on through the spike."""
    return setting.but(intervention=Continue(horizon=HORIZON))


def held(setting: Setting) -> Setting:
    """Goes on at the same learning rate and sharpness, without motion across the valley."""
    return setting.but(intervention=Hold(horizon=HORIZON))


def held_closer(setting: Setting) -> Setting:
    """A second such twin, looked at every fourth step in place of every fifth."""
    return setting.but(intervention=Hold(horizon=HORIZON, every=4))


def only_one_spikes(trial: Trial) -> bool:
    """The run spikes, late enough for twins to part before, and its held twin does not."""
    return trial.trunk.has_spike and not trial["held"].has_spike


def gain(trial: Trial) -> float:
    """Mean |cos| between input weights at the end: the spiking run's minus its held twin's, in [-1, 1]."""
    spiked, stayed = (_end(trial, arm) for arm in ("spiking", "held"))
    return alignment(spiked.input_weights) - alignment(stayed.input_weights)


def weighted_gain(trial: Trial) -> float:
    """The same with every pair weighted by its neurons' |a||u|."""
    spiked, stayed = (_end(trial, arm) for arm in ("spiking", "held"))
    return _weighted(spiked) - _weighted(stayed)


def fewer_directions(trial: Trial) -> float:
    """Effective ratio at the end: the held twin's minus the spiking run's, in [-1, 1]."""
    spiked, stayed = (_end(trial, arm) for arm in ("spiking", "held"))
    return effective_ratio(stayed.input_weights) - effective_ratio(spiked.input_weights)


def _end(trial: Trial, arm: str) -> Snapshot:
    return trial[arm].snapshots["end"]


def _weighted(at: Snapshot) -> float:
    return alignment(at.input_weights, np.linalg.norm(at.output_weights, axis=1))


claim = Claim(
    says="loss spikes facilitate condensation, rather than the control of the largest eigenvalue",
    where="arXiv 2305.12133v1, abstract, read as cause and effect",
    kind="tendency",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    further={"setting B, rate 0.15": SETTING_B.but(lr=0.15)},
    arms={"spiking": spiking, "held": held},
    applies=only_one_spikes,
    measure=gain,
    unit="gain of mean |cos| at equal sharpness",
    companions={"gain of weighted mean |cos|": weighted_gain, "fall of the effective ratio": fewer_directions},
    predicts=Prediction(above=0.0, of_seeds=0.8, level=0.95),
    control=Control(
        says="two held twins, looked at every fourth and every fifth step: neither spikes",
        arms={"spiking": held_closer, "held": held},
    ),
)
