"""Names, meanings and values of a setting's conditions, as labels of a map's axes."""

from collections.abc import Mapping, Sequence

from spikecheck.core.scope import CUTOFF, Value
from spikecheck.report.sanitize import inert

# A test checks that every condition of a setting is listed. Conditions without a stated unit have none.
_MEANINGS: Mapping[str, str] = {
    "problem": "what is learned",
    "target": "function that is fitted",
    "points": "training points",
    "interval": "half-length of the input interval, in units of pi",
    "model": "architecture",
    "width": "neurons a hidden layer",
    "depth": "hidden layers",
    "activation": "activation function",
    "output_bias": "whether the output has a bias",
    "gamma": "initial weights ~ N(0, width^(-2 gamma))",
    "input_std": "standard deviation of the initial hidden weights",
    "output_std": "standard deviation of the initial output weights",
    "init_scale": "factor on every initial weight",
    "loss": "training loss",
    "optimizer": "update rule",
    "lr": "learning rate",
    "momentum": "momentum coefficient",
    "beta1": "decay of the first moment, a step",
    "beta2": "decay of the second moment, a step",
    "eps": "added to the update's denominator",
    "weight_decay": "weight decay coefficient",
    "steps": "number of updates",
    "batch": "points a step",
    "options": "the optimizer's own arguments",
    "schedule": "how the learning rate changes with the steps",
    "clip": "largest norm of a gradient",
    "gradient_noise": "standard deviation of noise on every gradient component",
    "dtype": "floating-point type",
    CUTOFF: "which the effect is measured with",
}


def title(name: str) -> str:
    """A condition with its meaning and unit.

    >>> title("lr"), title("something new")
    ('lr (learning rate)', 'something new')
    """
    return f"{name} ({_MEANINGS[name]})" if name in _MEANINGS else inert(name)


def labels(values: Sequence[Value]) -> list[str]:
    """Values in the form in which they are typed on the command line.

    >>> labels([0.05, 20, "sin x", None])
    ['0.05', '20', 'sin x', 'none']
    """
    return ["none" if value is None else inert(value) for value in values]
