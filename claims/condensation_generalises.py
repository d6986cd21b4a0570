"""After spikes the test loss is lower through condensation, not through a smaller sharpness (hedged in version 1).

Sixteen points of sin x + sin 3x can be fitted without being learned, so there is something to generalise. Both runs
go on until they fit, one through its spikes and one held at the same ceiling on the sharpness without any. Then both
are annealed at a tenth of the rate, so that neither is met in the middle of an oscillation, and only pairs are
compared that fit.
"""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_B,
    Average,
    Claim,
    Condition,
    Continue,
    Control,
    Directions,
    Hold,
    Setting,
    Trial,
    Variant,
    aligned,
    limits,
    with_record,
    with_weights,
)
from spikecheck.harness.domain import Domain, Ladder
from spikecheck.measures import alignment

HORIZON, ANNEALED = 8_000, 1_000
"""Parent's steps through the spikes, and of annealing: ten thousand steps at a tenth of the rate."""
FITTED = 0.01
"""Training loss, against a target of variance 1."""
PREDICTS = Average(below=0.0, worth=0.1)
"""A test loss less than a tenth lower is no improvement worth a claim."""
GAIN = Average(above=0.0, worth=0.02)
"""As in `condensation`."""
REFERENCE = SETTING_B.but(points=16)


def spiking(setting: Setting) -> Setting:
    """Goes on through the spikes, and is annealed."""
    return setting.but(intervention=Continue(horizon=HORIZON, anneal=ANNEALED))


def held(setting: Setting, every: int = 5) -> Setting:
    """Goes on at the same learning rate and ceiling without motion across the valley, and is annealed."""
    return setting.but(intervention=Hold(horizon=HORIZON, anneal=ANNEALED, every=every))


def both_fit(trial: Trial, fitted: float = FITTED) -> bool:
    """The run spikes and its twin never does, and both end with a training loss below 0.01."""
    ends = max(float(trial[arm].loss[-1]) for arm in ("spiking", "held"))
    return trial.trunk.has_spike and not trial["held"].has_spike and ends < fitted


def _test_loss(trial: Trial, arm: str) -> float:
    return float(np.square(trial[arm].records["directions"]["outputs"] - trial.problem().y_test).mean())


def improvement(trial: Trial) -> float:
    """Log of the test loss at the end: the spiking run's over that of its held twin."""
    return float(np.log(_test_loss(trial, "spiking") / _test_loss(trial, "held")))


def gain(trial: Trial) -> float:
    """Mean |cos| between input weights at the end: the spiking run's minus its twin's."""
    spiked, stayed = (alignment(trial[arm].snapshots["end"].input_weights) for arm in ("spiking", "held"))
    return spiked - stayed


def sharper(trial: Trial) -> float:
    """Log of the sharpness at the end: the spiking run's over its twin's."""
    spiked, stayed = (trial[arm].records["directions"]["values"][0] for arm in ("spiking", "held"))
    return float(np.log(spiked / stayed))


def better_and_condensed(trial: Trial) -> Trial:
    """The spiking run misses the test points by four fifths of what its twin does, its weights turned together by 0.05."""
    wanted = trial.problem().y_test
    outputs = wanted + 0.8 * (trial["held"].records["directions"]["outputs"] - wanted)
    weights = trial["held"].snapshots["end"].input_weights
    turned = aligned(weights, min(alignment(weights) + 0.05, 0.999))
    return with_weights(with_record(trial, "spiking", "directions", outputs=outputs), "spiking", "end", turned)


claim = Claim(
    says="after spikes the test loss improves through condensation, not through a smaller largest eigenvalue",
    where="arXiv 2305.12133v1, abstract; left out of v2",
    kind="tendency",
    rules="gd",
    domain=Domain(
        REFERENCE,
        width=Ladder(50, 100),
        lr=Ladder(0.1, 0.125),
        points=Ladder(16, 20),
        activation=Ladder("tanh", "gelu"),
    ),
    costly=True,
    arms={"spiking": spiking, "held": held},
    probe=Directions(at="end", pairs=1),
    applies=both_fit,
    measure=improvement,
    unit="log ratio of test losses",
    also=(Condition(measure=gain, unit="gain of mean |cos|", predicts=GAIN),),
    cutoffs={
        **limits(PREDICTS, worth=(0.05, 0.2)),
        "training loss half: 0.005": Variant(applies=partial(both_fit, fitted=FITTED / 2)),
        "training loss twice: 0.02": Variant(applies=partial(both_fit, fitted=2 * FITTED)),
    },
    companions={"log ratio of sharpnesses": sharper},
    predicts=PREDICTS,
    positive=Control(says="test errors a fifth smaller, with weights turned together", plant=better_and_condensed),
    quotes="which may be the underlying mechanism for why the loss spike improves generalization, "
    "rather than simply controlling the value of lambda_max",
    reading="May be why spikes improve generalisation: an average improvement at an equal ceiling, together with an average "
    "gain in alignment on the same seeds.",
    cannot_tell="That both come together on average does not show that the one works through the other. "
    "One small problem stands for generalisation.",
    control=Control(
        says="two held twins, looked at every fourth and every fifth step: neither spikes",
        arms={"spiking": partial(held, every=4), "held": held},
    ),
)
