"""A displacement along the first eigendirection grows exactly while the sharpness is above the stability threshold.

An ascent that is watched from the crossing on only ever grows, so it cannot show what happens below. Here a
displacement too small to matter for the loss is made while the sharpness is still below 2/lr, and followed through
the crossing.
"""

from functools import partial

import numpy as np

from spikecheck import (
    SETTING_B,
    Anatomy,
    Claim,
    Control,
    Inject,
    Prediction,
    Setting,
    SpikeDefinition,
    Trial,
    Variant,
    limits,
    paper_domain,
    with_record,
)
from spikecheck.measures import balanced_agreement, growth

HORIZON = 300
DEFINITION = SpikeDefinition(lead=HORIZON)
"""The sharpness crosses 2/lr 150 to 320 steps before the onset: 300 steps before it most runs are below."""
BAND = 0.01
FEWEST = 20
"""Steps on each side of the threshold, and outside the band around it, that the shares must rest on."""
LOWEST, HIGHEST = 1.7, 2.15
"""lr x sharpness in which steps count: below, the displacement soon vanishes in rounding; above, it is soon large."""
SMALL = 2.0
"""The loss over the one displaced, up to which a displacement counts as small."""
PREDICTS = Prediction(at_least=0.95, of_seeds=0.8, level=0.95)


def displaced(setting: Setting) -> Setting:
    """Is displaced along the first eigendirection by so little that the loss rises by a ten-thousandth."""
    fork = Inject(at="before_onset", rank=1, rise=1.0001, horizon=HORIZON, definition=DEFINITION)
    return setting.but(intervention=fork)


def _counted(trial: Trial, band: float) -> tuple[np.ndarray, np.ndarray]:
    """Which steps count, and of each whether the sharpness is above the threshold."""
    record = trial["run"].records["anatomy"]
    relative = record["sharpness"][:, 0] / trial.threshold
    inside = (relative >= LOWEST / 2) & (relative <= HIGHEST / 2) & (np.abs(relative - 1) > band)
    large = np.maximum.accumulate(record["loss"]) > SMALL * record["loss"][0]
    return inside & ~large, relative > 1


def seen_on_both_sides(trial: Trial, band: float = BAND, fewest: int = FEWEST) -> bool:
    """At least 20 steps on each side of 2/lr are recorded while the displacement is small."""
    counted, above = _counted(trial, band)
    return min(int((counted & above).sum()), int((counted & ~above).sum())) >= fewest


def _agreement(trial: Trial, pair: int, band: float) -> float:
    record = trial["run"].records["anatomy"]
    counted, above = _counted(trial, band)
    factors = growth(record["swing"][:, pair], record["next_swing"][:, pair])
    return balanced_agreement(factors[counted] > 1, above[counted], 1)


def agreement(trial: Trial, band: float = BAND) -> float:
    """Mean of two shares of steps, in [0, 1]: of those above 2/lr with growth along v_1, and of those below with decay."""
    return _agreement(trial, 0, band)


def along_the_second(trial: Trial) -> float:
    """The same for the motion along the second eigendirection, along which nothing was displaced."""
    return _agreement(trial, 1, BAND)


def growing_above_only(trial: Trial) -> Trial:
    """The motion along v_1 is multiplied by |1 - lr lambda_1| at every step, with noise of 1 %."""
    record = trial["run"].records["anatomy"]
    rate = np.abs(1.0 - 2.0 * record["sharpness"] / trial.threshold)
    noise = np.random.default_rng(trial.seed).normal(scale=0.01, size=rate.shape)
    return with_record(trial, "run", "anatomy", next_swing=record["swing"] * rate * np.exp(noise))


def _banded(band: float) -> Variant:
    return Variant(measure=partial(agreement, band=band), applies=partial(seen_on_both_sides, band=band))


claim = Claim(
    says="a displacement along the first eigendirection grows exactly while lr x lambda_max > 2",
    where="arXiv 2305.12133v1, abstract, with the classical stability threshold of gradient descent",
    rules="threshold",
    kind="law",
    domain=paper_domain(),
    beside={"setting B": SETTING_B},
    arms={"run": displaced},
    probe=Anatomy(),
    definition=DEFINITION,
    until_divergence=True,
    applies=seen_on_both_sides,
    measure=agreement,
    unit="mean share of agreeing steps above and below",
    cutoffs={
        **limits(PREDICTS, at_least=(0.9, 0.975)),
        "band half: 0.5 %": _banded(BAND / 2),
        "band twice: 2 %": _banded(2 * BAND),
        "fewest steps half: 10": Variant(applies=partial(seen_on_both_sides, fewest=FEWEST // 2)),
        "fewest steps twice: 40": Variant(applies=partial(seen_on_both_sides, fewest=2 * FEWEST)),
    },
    predicts=PREDICTS,
    positive=Control(says="a motion that grows above 2/lr and decays below, with noise", plant=growing_above_only),
    quotes="loss exponentially increases once it is too sharp",
    reading="A threshold for every run: a law, so a share of seeds, and both sides of the threshold weigh alike.",
    cannot_tell="Displacements are along the first eigendirection as it is at the fork, and it turns a little in 300 steps. "
    "Large displacements, as at the peak of a spike, are left out.",
    control=Control(says="the motion along the second eigendirection", measure=along_the_second),
)
