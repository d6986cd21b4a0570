"""On real data low frequency dominates, and training and test data capture it alike (version 1; not in version 2's abstract).

The filter is a Gaussian over the inputs whose variance is a twentieth of the mean squared distance between training points:
the paper gives widths for its own data sets only, and this is the same choice whatever the scale of the inputs.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from spikecheck import Claim, Condition, Control, Directions, Domain, Ladder, Prediction, Setting, Trial, Variant
from spikecheck.core.run import Array
from spikecheck.measures import low_ratio, part_errors, principal_coordinate, scattered_spectrum

WIDTH = 0.05
REFERENCE = Setting(
    problem="mnist1d",
    points=100,
    width=20,
    input_std=0.2,
    output_std=0.1,
    optimizer="adam",
    lr=0.02,
    steps=3_000,
)
"""Adam, so that both nets fit in a time that can be waited for; the claim is about what is learned, not how."""
DIGITS = REFERENCE.but(problem="digits", steps=1_000)
"""Handwritten digits, which is nearer to the paper's images and takes ten times as long a step."""
CONVOLUTION = {"model": "conv", "width": 8, "steps": 1_000}
"""A small convolutional net in place of the fully connected one."""
FITTED = 0.1
"""Training loss over the labels' variance about their mean."""


def good(setting: Setting) -> Setting:
    """From small weights."""
    return setting


def bad(setting: Setting) -> Setting:
    """From weights three times as large."""
    return setting.but(init_scale=3.0 * setting.init_scale)


def both_fit(trial: Trial, fitted: float = FITTED) -> bool:
    """Both nets end with a training loss below a tenth of the labels' variance."""
    labels = trial.problem().y
    return max(float(run.loss[-1]) for run in trial.arms.values()) < fitted * float(labels.var(axis=0).mean())


def variance(x: Array, width: float = WIDTH) -> float:
    """The filter's delta, in squared input units: a twentieth of the mean squared distance between points [N, D]."""
    return width * float(2 * np.square(x - x.mean(0)).sum(1).mean())


def low_error(trial: Trial, width: float = WIDTH) -> float:
    """Largest relative error of the low-frequency part, on training or test points, of the good or the bad net."""
    delta = variance(trial.problem().x, width)
    return _worst(trial, lambda x, y, outputs: part_errors(x, y, outputs, delta)[0])


def projected_error(trial: Trial, below: int) -> float:
    """The same error of the Fourier modes below a number, along the inputs' first principal component."""

    def error(x: Array, y: Array, outputs: Array) -> float:
        along = principal_coordinate(x)
        missed, whole = (scattered_spectrum(along, values, below).sum() for values in (y - outputs, y))
        return float(np.sqrt(missed / whole))

    return _worst(trial, error)


def _worst(trial: Trial, error: Callable[[Array, Array, Array], float]) -> float:
    """The largest error on training or test points, of the good or the bad net."""
    data = trial.problem()
    errors = []
    for arm in ("good", "bad"):
        seen = trial[arm].records["directions"]
        errors += [error(data.x, data.y, seen["train_outputs"]), error(data.x_test, data.y_test, seen["outputs"])]
    return max(errors)


def dominance(trial: Trial, width: float = WIDTH) -> float:
    """Share of the labels' energy, about their mean, in their low-frequency part."""
    data = trial.problem()
    return low_ratio(data.x, data.y - data.y.mean(0), variance(data.x, width))


def dominates(width: float = WIDTH) -> tuple[Condition]:
    """Low frequency dominates the labels."""
    measure = partial(dominance, width=width)
    return (Condition(measure=measure, unit="low-frequency share of the labels", predicts=Prediction(above=0.5)),)


def permuted_error(trial: Trial) -> float:
    """The same error against labels permuted at random."""
    data = trial.problem()
    delta = variance(data.x)
    order = np.random.default_rng(trial.seed).permutation(len(data.x))
    return part_errors(data.x, data.y[order], trial["good"].records["directions"]["train_outputs"], delta)[0]


claim = Claim(
    says="low frequency dominates real data and is captured well by training and test data, by good and bad generalisers",
    where="arXiv 2305.12133v1, abstract; left out of v2's",
    kind="tendency",
    domain=Domain(
        REFERENCE,
        points=Ladder(100, 50),
        lr=Ladder(0.02, 0.01),
        activation=Ladder("tanh", "relu", "gelu"),
    ),
    further={
        "mnist1d, convolution": REFERENCE.but(**CONVOLUTION),
        "digits": DIGITS,
        "digits, convolution": DIGITS.but(**CONVOLUTION).but(depth=2, steps=400),
    },
    arms={"good": good, "bad": bad},
    probe=Directions(at="end", pairs=1),
    detects_spikes=False,
    applies=both_fit,
    measure=low_error,
    unit="largest relative low-frequency error",
    predicts=Prediction(at_most=0.1, of_seeds=0.8, level=0.95),
    also=dominates(),
    cutoffs={
        "filter's variance half: 0.025": Variant(measure=partial(low_error, width=0.025), also=dominates(0.025)),
        "filter's variance twice: 0.1": Variant(measure=partial(low_error, width=0.1), also=dominates(0.1)),
        "first principal component, modes below 2": partial(projected_error, below=2),
        "first principal component, modes below 4": partial(projected_error, below=4),
        "first principal component, modes below 8": partial(projected_error, below=8),
        "training loss half: 0.05": Variant(applies=partial(both_fit, fitted=FITTED / 2)),
        "training loss twice: 0.2": Variant(applies=partial(both_fit, fitted=2 * FITTED)),
    },
    control=Control(says="labels permuted at random", measure=permuted_error),
)
