"""A problem's data: inputs and targets for training, and held-out ones."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikecheck.core.errors import DataError


@dataclass(frozen=True, eq=False)
class Data:
    """The result of a problem's factory; any object with these attributes, tensors or NumPy arrays, works too.

    Axes: N training points, M held-out points, D inputs, O outputs. Targets are real values [N, O], or integer class indices
    [N] from 0. Without held-out points, `x_test` and `y_test` are None or absent.
    """

    x: Float[Tensor, "N D"]
    y: Float[Tensor, "N O"] | Int[Tensor, " N"]
    x_test: Float[Tensor, "M D"] | None = None
    y_test: Float[Tensor, "M O"] | Int[Tensor, " M"] | None = None

    @property
    def classified(self) -> bool:
        """Whether the targets are classes."""
        return self.y.ndim == 1

    @property
    def outputs(self) -> int:
        """O: the number of outputs that a model needs per point."""
        if not self.classified:
            return self.y.shape[1]
        tests = [] if self.y_test is None else [self.y_test]
        return 1 + max(int(labels.max()) for labels in [self.y, *tests])


def checked(made: object, problem: str) -> Data:
    """The result of a problem's factory as `Data`: float64 and int64 on the CPU, of matching shapes, and finite.

    Raises:
        DataError: when an array is missing or no array of numbers, shapes do not match, or a number is not finite.
    """
    arrays = {name: _tensor(made, name, problem) for name in ("x", "y", "x_test", "y_test")}
    x, y = arrays["x"], arrays["y"]
    if x is None or y is None:
        missing = "x" if x is None else "y"
        raise DataError(f"problem={problem!r}: its factory returned no {missing}; return an object with arrays x and y")
    if (arrays["x_test"] is None) != (arrays["y_test"] is None):
        raise DataError(f"problem={problem!r}: x_test and y_test come together; return both or neither")
    _check_shapes(x, y, ("x", "y"), problem)
    if arrays["x_test"] is not None and arrays["y_test"] is not None:
        _check_shapes(arrays["x_test"], arrays["y_test"], ("x_test", "y_test"), problem)
        _check_alike(x, arrays["x_test"], "x_test", problem)
        _check_alike(y, arrays["y_test"], "y_test", problem)
    for name, array in arrays.items():
        _check_numbers(array, name, problem)
    return Data(x, y, arrays["x_test"], arrays["y_test"])


def _tensor(made: object, name: str, problem: str) -> Tensor | None:
    value = getattr(made, name, None)
    if value is None:
        return None
    try:
        tensor = torch.as_tensor(value).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"problem={problem!r}: {name} is no array of numbers ({error}); return a tensor") from error
    labels = name.startswith("y") and tensor.ndim == 1 and not tensor.is_floating_point()
    return tensor.to(torch.int64 if labels else torch.float64)


def _check_shapes(x: Tensor, y: Tensor, names: tuple[str, str], problem: str) -> None:
    shapes = f"{names[0]} {list(x.shape)} and {names[1]} {list(y.shape)}"
    real = y.ndim == 2 and y.is_floating_point()
    labels = y.ndim == 1 and not y.is_floating_point()
    if x.ndim != 2 or not (real or labels) or len(x) != len(y) or 0 in (*x.shape, *y.shape):
        raise DataError(
            f"problem={problem!r}: {shapes} do not fit; "
            "give inputs [points, inputs] with targets [points, outputs] or integer classes [points]"
        )


def _check_alike(train: Tensor, test: Tensor, name: str, problem: str) -> None:
    if train.shape[1:] != test.shape[1:] or train.dtype != test.dtype:
        shapes = f"{list(test.shape)} against {list(train.shape)}"
        raise DataError(f"problem={problem!r}: {name} {shapes} differs from the training data in more than its length")


def _check_numbers(array: Tensor | None, name: str, problem: str) -> None:
    if array is None:
        return
    if not array.is_floating_point():
        bad, what = array < 0, "negative classes"
    else:
        bad, what = ~array.isfinite(), "values that are not finite"
    count = int(bad.sum())
    if count:
        first = tuple(bad.nonzero()[0].tolist())
        raise DataError(
            f"problem={problem!r}: {name} holds {count} {what} (of {math.prod(array.shape)}), first at {first}; "
            "correct or drop those points"
        )
