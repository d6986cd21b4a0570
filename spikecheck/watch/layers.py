"""Sums over each parameter tensor of a step, kept on the device until they are read."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import compress
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from spikecheck.core.watched import LayerLook
from spikecheck.watch.shards import local

_PIECE = 2_000_000
"""Parameters whose updates and products, at most three tensors of each, are in memory at once, unless one parameter is larger.
This bounds a look's extra memory."""
_TINY = 1e-30
"""Avoids 0 / 0 where gradient and second moment are exactly zero."""


@dataclass(frozen=True)
class Sums:
    """Sums of a step, one entry for each parameter tensor, in the optimizer's order."""

    sizes: Sequence[int]
    update: Sequence[float]
    """Norm of the update."""
    weights: Sequence[float]
    """Norm of the parameter after the step."""
    gradient: Sequence[float | None]
    """Norm of the gradient; None for a parameter without a gradient."""
    slope: Sequence[float]
    """Dot product of gradient and update."""
    surprise: Sequence[float | None]
    """Sum of squared gradient over second moment; None if the optimizer has no second moment."""

    def __add__(self, other: "Sums") -> "Sums":
        """The sums of two optimizers' steps together."""
        return Sums(**{each.name: [*getattr(self, each.name), *getattr(other, each.name)] for each in fields(Sums)})

    def total(self, name: str) -> float:
        """The norm of all parameters together; 0 where none has one."""
        return math.sqrt(sum(value * value for value in getattr(self, name) if value is not None))

    @property
    def has_gradient(self) -> bool:
        """Whether any parameter had a gradient after the step: some optimizers remove them within theirs."""
        return any(value is not None for value in self.gradient)

    def looks(self, names: Sequence[str | None]) -> dict[str, LayerLook]:
        """Root mean squares by name, without parameters that have no name, no elements, or a value that is not finite."""
        looked = {name: self._layer(number) for number, name in enumerate(names) if name is not None}
        return {name: layer for name, layer in looked.items() if layer is not None}

    def _layer(self, number: int) -> LayerLook | None:
        if not self.sizes[number]:
            return None
        root = math.sqrt(self.sizes[number])
        gradient, surprise = self.gradient[number], self.surprise[number]
        values = {
            "update": self.update[number] / root,
            "weights": self.weights[number] / root,
            "gradient": None if gradient is None else gradient / root,
            "surprise": None if surprise is None else math.sqrt(surprise) / root,
        }
        if not all(math.isfinite(value) for value in values.values() if value is not None):
            return None
        return LayerLook(**{name: _short(value) for name, value in values.items()})


def _short(value: float | None) -> Any:
    """Five digits: a log of a thousand tensors should stay readable."""
    return None if value is None else float(f"{value:.5g}")


class Pending:
    """Sums of one optimizer's step on the parameters' devices. `read` copies them with one transfer for each type."""

    def __init__(self, optimizer: Optimizer, parameters: Sequence[Tensor], before: Sequence[Tensor]) -> None:
        """`before` are the parameters before the step; of sharded ones, this process's parts, as are then the sums."""
        self._sizes = [parameter.numel() for parameter in parameters]
        self._columns: dict[str, list[Tensor | None]] = {name: [] for name in _COLUMNS}
        self._corrections: list[float] = []
        scale = getattr(optimizer, "grad_scale", None)  # fused optimizers under GradScaler unscale inside their step
        with torch.no_grad():
            for piece in _pieces(self._sizes):
                gradients = [_own(parameter.grad, scale) for parameter in parameters[piece]]
                self._add([local(one) for one in parameters[piece]], list(before[piece]), gradients)
                self._add_surprise(list(_moments(optimizer, parameters[piece])), gradients)

    def read(self) -> Sums:
        """Wait for the device and return the sums."""
        columns = _numbers(self._columns)
        surprise = zip(columns["surprise"], self._corrections, strict=True)
        return Sums(
            sizes=self._sizes,
            update=[value or 0.0 for value in columns["update"]],
            weights=[value or 0.0 for value in columns["weights"]],
            gradient=columns["gradient"],
            slope=[value or 0.0 for value in columns["slope"]],
            surprise=[None if value is None else value * correction for value, correction in surprise],
        )

    def differs(self, parameters: Sequence[Tensor]) -> bool:
        """Whether these parameters are not as they were after the step, by their norms; waits for the device."""
        if len(parameters) != len(self._sizes):
            return True
        with torch.no_grad():
            now = torch._foreach_norm([wide(local(parameter)) for parameter in parameters])
        return _numbers({"norms": now}) != _numbers({"norms": self._columns["weights"]})

    def _add(self, after: list[Tensor], before: list[Tensor], gradients: Sequence[Tensor | None]) -> None:
        updates = [wide(update) for update in torch._foreach_sub(after, before)]
        self._columns["update"] += torch._foreach_norm(updates)
        self._columns["weights"] += torch._foreach_norm([wide(new) for new in after])
        self._columns["gradient"] += _each(torch._foreach_norm, gradients)
        self._columns["slope"] += _each(_dots, gradients, updates)

    def _add_surprise(self, moments: Sequence[tuple[Tensor, float] | None], gradients: Sequence[Tensor | None]) -> None:
        self._columns["surprise"] += _each(_dots_over, gradients, [moment and moment[0] for moment in moments])
        self._corrections += [1.0 if moment is None else moment[1] for moment in moments]


_COLUMNS = ("update", "weights", "gradient", "slope", "surprise")


def _pieces(sizes: Sequence[int]) -> Iterator[slice]:
    """Slices of consecutive tensors with about `_PIECE` parameters each."""
    start, held = 0, 0
    for number, size in enumerate(sizes):
        if held and held + size > _PIECE:
            yield slice(start, number)
            start, held = number, 0
        held += size
    yield slice(start, len(sizes))


def _own(gradient: Tensor | None, scale: Tensor | None) -> Tensor | None:
    if gradient is None:
        return None
    own = wide(local(gradient))
    return own if scale is None else own / scale


def wide(tensor: Tensor) -> Tensor:
    """Convert to real numbers of at least single precision: sums in half precision lose too many digits.

    A complex number becomes its real and imaginary part, as torch's gradients have them; a sparse gradient becomes dense.
    """
    whole = tensor.to_dense() if tensor.is_sparse else tensor
    real = torch.view_as_real(whole) if whole.is_complex() else whole
    return real if real.dtype in (torch.float32, torch.float64) else real.float()


def _moments(optimizer: Optimizer, parameters: Sequence[Tensor]) -> Iterator[tuple[Tensor, float] | None]:
    """Second moment of every parameter and its bias correction; None for a parameter without one."""
    decays = {id(p): group["betas"][1] for group in optimizer.param_groups if "betas" in group for p in group["params"]}
    for parameter in parameters:
        state: Mapping[str, object] = optimizer.state.get(parameter, {})
        moment, step, decay = state.get("exp_avg_sq"), state.get("step"), decays.get(id(parameter))
        if isinstance(moment, Tensor) and moment.shape == parameter.shape and decay is not None and step is not None:
            parts = 2.0 if moment.is_complex() else 1.0  # real and imaginary parts have moments of their own
            yield local(moment), (1.0 - float(decay) ** float(step)) / parts  # type: ignore[arg-type]
        else:
            yield None


def _each(work: Callable[..., Sequence[Tensor]], *columns: Sequence[Tensor | None]) -> list[Tensor | None]:
    """What `work` makes of the columns, in the places where none of them is None."""
    whole = [all(value is not None for value in row) for row in zip(*columns, strict=True)]
    made = iter(work(*(list(compress(column, whole)) for column in columns)) if any(whole) else ())
    return [next(made) if one else None for one in whole]


def _dots(gradients: list[Tensor], updates: list[Tensor]) -> list[Tensor]:
    return [product.sum() for product in torch._foreach_mul(gradients, updates)]


def _dots_over(gradients: list[Tensor], moments: list[Tensor]) -> list[Tensor]:
    """Sums of squares over moments."""
    quotients = torch._foreach_div(gradients, torch._foreach_add([wide(moment) for moment in moments], _TINY))
    return _dots(gradients, list(quotients))


def _numbers(columns: Mapping[str, Sequence[Tensor | None]]) -> dict[str, list[float | None]]:
    """The values as numbers, with one transfer for each device and type."""
    numbers: dict[str, list[float | None]] = {name: [None] * len(column) for name, column in columns.items()}
    alike: dict[tuple[Any, Any], list[tuple[str, int, Tensor]]] = {}
    for name, column in columns.items():
        for place, value in enumerate(column):
            if value is not None:
                alike.setdefault((value.device, value.dtype), []).append((name, place, value))
    for group in alike.values():
        values = torch.stack([value for _, _, value in group]).tolist()
        for (name, place, _), number in zip(group, values, strict=True):
            numbers[name][place] = number
    return numbers
