"""The sharpness does not tell good from bad generalisers.

One net from a family of initialisations, from small to large weights, trained until all fit the training points: of
two whose test losses differ clearly, is the flatter one the better? A share of a half is what a coin tells.
"""

from functools import partial

import numpy as np

from spikecheck import (
    Claim,
    Control,
    Directions,
    Domain,
    Equivalence,
    Ladder,
    Setting,
    Trial,
    Variant,
    limits,
    with_record,
)
from spikecheck.core.run import Array
from spikecheck.measures import concordance

REFERENCE = Setting(
    target="sin x + sin 2x",
    points=16,
    interval=1.0,
    width=60,
    input_std=0.5,
    output_std=0.1,
    lr=0.03,
    steps=30_000,
)
"""The first look's problem; the number of steps was chosen so that nets fit, before any test loss was looked at."""
FAMILY = {"start x 1": 1.0, "start x 2": 2.0, "start x 4": 4.0, "start x 8": 8.0, "start x 12": 12.0}
"""Factors on the initial weights: the first and the last were the pair that the claim compared before."""
FITTED = 1e-3
"""Mean squared error on the training points, against a target of variance 1."""
APART = 10.0
"""Test losses that differ by less say nothing of better and worse."""
PREDICTS = Equivalence(at_least=0.3, at_most=0.7)
"""From an AUC of 0.7 on discrimination is commonly called acceptable (Hosmer & Lemeshow); 0.3 is its mirror image."""


def _start(setting: Setting, factor: float) -> Setting:
    """From weights so many times as large."""
    return setting.but(init_scale=factor * setting.init_scale)


def all_fit(trial: Trial, fitted: float = FITTED) -> bool:
    """All end with a training loss below 0.001, and at least two of them with test losses ten times apart."""
    return max(float(run.loss[-1]) for run in trial.arms.values()) < fitted and bool(np.isfinite(auc(trial)))


def _test_losses(trial: Trial) -> Array:
    wanted = trial.problem("start x 1").y_test
    return np.array([np.square(trial[a].records["directions"]["outputs"] - wanted).mean() for a in FAMILY])


def auc(trial: Trial, apart: float = APART) -> float:
    """Of pairs of nets with test losses ten times apart, the share in which the flatter is the better one, in [0, 1]."""
    sharpness = np.array([trial[arm].records["directions"]["values"][0] for arm in FAMILY])
    return concordance(sharpness, _test_losses(trial), apart)


def by_size(trial: Trial) -> float:
    """The same by the size of the weights in place of the sharpness: what does tell them apart."""
    sizes = np.array([np.linalg.norm(trial[arm].snapshots["end"].params) for arm in FAMILY])
    return concordance(sizes, _test_losses(trial), APART)


def shuffled(trial: Trial) -> Trial:
    """Sharpnesses are handed around at random among the nets of one seed."""
    order = np.random.default_rng(trial.seed).permutation(list(FAMILY))
    values = {arm: trial[arm].records["directions"]["values"] for arm in FAMILY}
    for arm, other in zip(FAMILY, order, strict=True):
        trial = with_record(trial, arm, "directions", values=values[str(other)])
    return trial


claim = Claim(
    says="the largest eigenvalue can not tell good from bad generalisation",
    where="arXiv 2305.12133v2, abstract; version 1 likewise",
    kind="tendency",
    domain=Domain(
        REFERENCE,
        width=Ladder(60, 40, 100),
        lr=Ladder(0.03, 0.02),
        activation=Ladder("tanh", "gelu"),
        target=Ladder("sin x + sin 2x", "sin x", "sin x + sin 3x"),
    ),
    arms={name: partial(_start, factor=factor) for name, factor in FAMILY.items()},
    probe=Directions(at="end", pairs=1),
    detects_spikes=False,
    applies=all_fit,
    measure=auc,
    unit="share of pairs in which the flatter is the better",
    cutoffs={
        **limits(PREDICTS, at_least=(0.4,), at_most=(0.6,)),
        "training loss half: 0.0005": Variant(applies=partial(all_fit, fitted=FITTED / 2)),
        "training loss twice: 0.002": Variant(applies=partial(all_fit, fitted=2 * FITTED)),
        "log factor apart half: 3.2": partial(auc, apart=APART**0.5),
        "log factor apart twice: 100": partial(auc, apart=APART**2),
    },
    predicts=PREDICTS,
    positive=Control(says="sharpnesses handed around at random, which tell nothing", plant=shuffled),
    quotes="lambda_max is a good measure of sharpness but not a good measure for generalization",
    reading="That it tells little: an equivalence, the mean AUC of the sharpness close to that of a coin.",
    cannot_tell="One family of nets, which differ in the size of their start, stands for good and bad generalisers. "
    "That little is told would also be found of another seed's sharpness: an absence does not show whose it is.",
    control=Control(says="the size of the weights in place of the sharpness: it does tell", measure=by_size),
)
