"""On real data good and bad generalisers capture low frequency alike (version 1; not in version 2's abstract).

Two nets fit the same few images, one from small input weights and one from ten times as large ones; on the images left
over, which are thousands, the second generalises much worse.
If low frequency is dominant and captured by both, their errors at low frequency on test images differ little, and the
difference lies in the high. The filter is a Gaussian over the inputs whose variance is a twentieth of the mean
squared distance between training points: the paper gives widths for its own data sets only, and this is the same
choice whatever the scale of the inputs.
"""

from functools import partial

import numpy as np

from spikecheck import (
    Average,
    Claim,
    Condition,
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
from spikecheck.measures import low_ratio, part_errors

WIDTH = 0.05
REFERENCE = Setting(
    problem="few-digits", points=200, width=80, input_std=0.2, output_std=0.1, optimizer="adam", lr=0.02, steps=500
)
"""200 handwritten digits to fit and 1,597 to test on. Adam, so that both nets fit; the claim is about what is learned.

Chosen by training and test losses alone: fitted to 1,347 digits, hardly any two nets differ on the rest.
"""
FASHION = REFERENCE.but(problem="fashion-mnist", width=40, input_std=0.05)
"""Articles of clothing, 28 x 28, 5,000 to test on: inputs of twelve times as many numbers, weights a quarter as large."""
FITTED = 0.1
"""Training loss over the labels' variance about their mean."""
PREDICTS = Equivalence(at_least=-0.1, at_most=0.1)


def good(setting: Setting) -> Setting:
    """From small input weights."""
    return setting


def bad(setting: Setting) -> Setting:
    """From input weights ten times as large, which saturate: what such a net computes depends on its first draw."""
    return setting.but(input_std=10.0 * (setting.input_std or 0.0))


def _test_loss(trial: Trial, arm: str) -> float:
    return float(np.square(trial[arm].records["directions"]["outputs"] - trial.problem().y_test).mean())


def both_fit(trial: Trial, fitted: float = FITTED) -> bool:
    """Both nets end with a training loss below a tenth of the labels' variance, and the bad one with the larger test loss."""
    variance = float(trial.problem().y.var(axis=0).mean())
    fit = max(float(run.loss[-1]) for run in trial.arms.values()) < fitted * variance
    return fit and _test_loss(trial, "bad") > _test_loss(trial, "good")


def _delta(x: Array, width: float) -> float:
    """The filter's delta, in squared input units: a twentieth of the mean squared distance between points [N, D]."""
    return width * float(2 * np.square(x - x.mean(0)).sum(1).mean())


def _errors(trial: Trial, arm: str, width: float) -> tuple[float, float]:
    """Relative errors of one net at low and at high frequency on the test points."""
    data = trial.problem()
    outputs = trial[arm].records["directions"]["outputs"]
    return part_errors(data.x_test, data.y_test, outputs, _delta(data.x, width))


def low_gap(trial: Trial, width: float = WIDTH) -> float:
    """Relative error at low frequency on test points: the bad net's minus the good one's."""
    return _errors(trial, "bad", width)[0] - _errors(trial, "good", width)[0]


def high_gap(trial: Trial) -> float:
    """The same at high frequency, where good and bad differ."""
    return _errors(trial, "bad", WIDTH)[1] - _errors(trial, "good", WIDTH)[1]


def worst(trial: Trial) -> float:
    """Relative error of the bad net at low frequency on test points: how well it is captured at all."""
    return _errors(trial, "bad", WIDTH)[0]


def dominance(trial: Trial, width: float = WIDTH) -> float:
    """Share of the labels' energy, about their mean, in their low-frequency part."""
    data = trial.problem()
    return low_ratio(data.x, data.y - data.y.mean(0), _delta(data.x, width))


def alike(trial: Trial) -> Trial:
    """The bad net gives the good one's outputs with noise as large as its own error, point by point."""
    data = trial.problem()
    size = np.sqrt(_test_loss(trial, "bad"))
    noise = np.random.default_rng(trial.seed).normal(scale=size, size=data.y_test.shape)
    return with_record(trial, "bad", "directions", outputs=trial["good"].records["directions"]["outputs"] + noise)


def _dominates(width: float = WIDTH) -> tuple[Condition]:
    measure = partial(dominance, width=width)
    return (Condition(measure=measure, unit="low-frequency share of the labels", predicts=Average(above=0.5)),)


claim = Claim(
    says="low frequency dominates real data, and good and bad generalisers capture it alike",
    where="arXiv 2305.12133v1, abstract; left out of v2's",
    kind="tendency",
    domain=Domain(
        REFERENCE,
        width=Ladder(80, 40),
        lr=Ladder(0.02, 0.01),
        activation=Ladder("tanh", "relu"),
    ),
    costly=True,
    further={"fashion-mnist": FASHION},
    arms={"good": good, "bad": bad},
    probe=Directions(at="end", pairs=1),
    detects_spikes=False,
    applies=both_fit,
    measure=low_gap,
    unit="gap of relative low-frequency errors, bad less good",
    also=_dominates(),
    cutoffs={
        **limits(PREDICTS, at_least=(-0.05, -0.2), at_most=(0.05, 0.2)),
        "filter's variance half: 0.025": Variant(measure=partial(low_gap, width=0.025), also=_dominates(0.025)),
        "filter's variance twice: 0.1": Variant(measure=partial(low_gap, width=0.1), also=_dominates(0.1)),
        "training loss half: 0.05": Variant(applies=partial(both_fit, fitted=FITTED / 2)),
        "training loss twice: 0.2": Variant(applies=partial(both_fit, fitted=2 * FITTED)),
    },
    companions={"relative low-frequency error of the bad net": worst},
    predicts=PREDICTS,
    positive=Control(says="the good net's outputs with noise, in place of the bad one's", plant=alike),
    quotes="low-frequency is often dominant and well-captured by both the training data and the test data. Then, a solution "
    "with good generalization and a solution with bad generalization can both learn low-frequency well",
    reading="Little difference between good and bad: an equivalence, on average within a tenth of the labels' low part.",
    cannot_tell="How well low frequency is captured stands beside the verdict and does not decide it. "
    "Pairs from small and from large input weights, fitted to few images, stand for good and bad generalisers.",
    control=Control(says="the gap at high frequency", measure=high_gap),
)
