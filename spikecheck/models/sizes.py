"""The sizes of the built-in models: the shapes that images take in a convolutional net, and the number of parameters."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting

Shape = tuple[int, int, int]
"""Channels, height and width: the shape of the D inputs of a point, or of a layer's outputs."""

_INPUTS: Mapping[str, Shape] = {
    "digits": (1, 8, 8),
    "few-digits": (1, 8, 8),
    "mnist1d": (1, 1, 40),
    "mnist": (1, 28, 28),
    "fashion-mnist": (1, 28, 28),
    "cifar10": (3, 32, 32),
}
STRIDE = 2
"""Of every convolution."""


def kernel(size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a patch, for images of this height and width: 3, or 1 along an axis of length 1.

    >>> kernel((8, 8)), kernel((1, 40))
    ((3, 3), (1, 3))
    """
    return 3 if size[0] > 1 else 1, 3 if size[1] > 1 else 1


def halved(size: tuple[int, int]) -> tuple[int, int]:
    """The numbers of patches, down and across: one around every second pixel, from the first.

    >>> halved((8, 8)), halved((1, 5))
    ((4, 4), (1, 3))
    """
    return -(-size[0] // STRIDE), -(-size[1] // STRIDE)


def shapes(setting: Setting) -> tuple[Shape, ...]:
    """The shapes of the inputs, and of the `width` channels after each of `depth` convolutions.

    Raises:
        SettingError: when the problem has no images, or they are too small for so many convolutions.

    >>> shapes(Setting(problem="mnist1d", model="conv", width=4, depth=2))
    ((1, 1, 40), (4, 1, 20), (4, 1, 10))
    """
    if setting.problem not in _INPUTS:
        known = ", ".join(_INPUTS)
        raise SettingError(
            f"model='conv': problem {setting.problem!r} has no images; use one of {known}, or model='mlp'"
        )
    sizes = [_INPUTS[setting.problem]]
    for before in range(setting.depth):
        _, *size = sizes[-1]
        if math.prod(size) == 1:
            raise SettingError(
                f"depth={setting.depth}: images of {setting.problem} have one pixel left after {before} convolutions, "
                f"each of which halves them; use depth={before} at most"
            )
        sizes.append((setting.width, *halved((size[0], size[1]))))
    return tuple(sizes)


def conv_layers(seen: Sequence[Shape], classes: int) -> tuple[tuple[int, int], ...]:
    """Numbers of inputs and outputs of every layer: of the convolutions between these shapes, and of the linear layer."""
    filters = [(before[0] * math.prod(kernel(before[1:])), after[0]) for before, after in pairwise(seen)]
    return (*filters, (math.prod(seen[-1]), classes))


def perceptron(setting: Setting, inputs: int, outputs: int) -> tuple[int, ...]:
    """The numbers of inputs, of neurons in every hidden layer, and of outputs; "linear" has no hidden layer."""
    hidden = [setting.width] * setting.depth if setting.model == "mlp" else []
    return (inputs, *hidden, outputs)


def parameters(setting: Setting, inputs: int, outputs: int) -> int:
    """P, the number of parameters of a setting's built-in model with so many inputs and outputs.

    Raises:
        SettingError: as `shapes`.

    >>> parameters(Setting(width=20), 1, 1), parameters(Setting(problem="digits", model="conv", width=4, depth=2), 64, 10)
    (60, 348)
    """
    convolves = setting.model == "conv"
    layers = conv_layers(shapes(setting), outputs) if convolves else pairwise(perceptron(setting, inputs, outputs))
    with_biases = sum((incoming + 1) * outgoing for incoming, outgoing in layers)
    return with_biases if setting.output_bias else with_biases - outputs
