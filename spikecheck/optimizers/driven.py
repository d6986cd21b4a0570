"""One optimizer with its parameters, driven as in torch's ordinary loop.

Parameters, their `.data` and their `.grad` belong to the optimizer: gradients are set as new tensors before every step and
inside closures, and what a step made of the parameters is read from them. A learning rate that the optimizer sets stays,
unless the setting asks for a schedule.
"""

import io
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from spikecheck.core.errors import SettingError
from spikecheck.core.import_path import made, named
from spikecheck.models.parameter_layout import Span
from spikecheck.tensors.seeding import seed_of


@dataclass(frozen=True)
class OptimizerFactory:
    """Which optimizer is to be made, for which tensors."""

    path: str
    options: tuple[tuple[str, Any], ...]
    spans: tuple[Span, ...]
    dtype: torch.dtype

    def of(self, row: Tensor, lr: float) -> "Driven":
        """An optimizer of tensors of its own, which start from one member's parameters, `row` [P]."""
        return Driven(
            self.path, self._made([(s.name, nn.Parameter(s.of(row).clone())) for s in self.spans], lr), self.spans
        )

    def of_all(self, rows: Tensor, lr: float) -> tuple[torch.optim.Optimizer, nn.Parameter]:
        """One optimizer of all members' parameters, `rows` [B, P], as a single tensor."""
        whole = nn.Parameter(rows.clone())
        return self._made([("all", whole)], lr)[0], whole

    def _made(
        self, tensors: list[tuple[str, nn.Parameter]], lr: float
    ) -> tuple[torch.optim.Optimizer, list[nn.Parameter]]:
        found = named("optimizer", self.path)
        is_class = isinstance(found, type)
        if is_class and not issubclass(found, torch.optim.Optimizer):
            raise SettingError(f"optimizer={self.path!r}: is no torch.optim.Optimizer; name a subclass, or a function")
        params = [tensor for _, tensor in tensors]
        with _said_once():
            optimizer = made("optimizer", self.path, params if is_class else tensors, lr=lr, **dict(self.options))
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise SettingError(
                f"optimizer={self.path!r}: returned {type(optimizer).__name__}; a function gets the named parameters, "
                "lr and the options, and returns a torch.optim.Optimizer"
            )
        held = [id(tensor) for group in optimizer.param_groups for tensor in group["params"]]
        if sorted(held) != sorted(map(id, params)):
            names = [name for name, tensor in tensors if held.count(id(tensor)) != 1]
            raise SettingError(
                f"optimizer={self.path!r}: {', '.join(names) or 'something else'} of the model's {len(params)} tensors is not "
                "in exactly one of its groups; every parameter must be"
            )
        return optimizer, params


_said: set[str] = set()


@contextmanager
def _said_once() -> Iterator[None]:
    """What is printed when an optimizer is made is passed on once, to standard error: it is made many times."""
    heard = io.StringIO()
    try:
        with redirect_stdout(heard):
            yield
    finally:
        text = heard.getvalue()
        if text and text not in _said:
            _said.add(text)
            sys.stderr.write(text)


class Driven:
    """One optimizer with the parameters that it was made for, in the order of the spans."""

    def __init__(
        self, path: str, made_of: tuple[torch.optim.Optimizer, list[nn.Parameter]], spans: Sequence[Span]
    ) -> None:
        self._path = path
        self.optimizer, self.params = made_of
        self.spans = spans
        self._rates: list[Any] = [group.get("lr") for group in self.optimizer.param_groups]
        train_mode(self.optimizer)

    @torch.no_grad()
    def put(self, row: Float[Tensor, " P"]) -> None:
        """Overwrite the parameters, whatever storage they have by now."""
        for tensor, span in zip(self.params, self.spans, strict=True):
            tensor.copy_(span.of(row))

    @torch.no_grad()
    def read(self) -> Float[Tensor, " P"]:
        """The parameters as they are.

        Raises:
            SettingError: when one has another shape than the model needs.
        """
        for tensor, span in zip(self.params, self.spans, strict=True):
            if tuple(tensor.shape) != span.shape:
                raise SettingError(
                    f"optimizer={self._path!r}: gave {span.name} the shape {tuple(tensor.shape)}, which the model has as "
                    f"{span.shape}; an optimizer must keep the shapes of its parameters"
                )
        return torch.cat([tensor.reshape(-1) for tensor in self.params])

    def feed(self, gradient: Float[Tensor, " P"]) -> None:
        """A new gradient, as after `zero_grad()` and `backward()`; the optimizer may keep or change it."""
        for tensor, span in zip(self.params, self.spans, strict=True):
            tensor.grad = span.of(gradient)

    def step(self, closure: Callable[[], Tensor] | None = None) -> None:
        """One update."""
        if closure is None:
            self.optimizer.step()
        else:
            self.optimizer.step(closure)  # type: ignore[arg-type]  # torch's stub says float, its own closures give tensors

    def scale(self, factor: float) -> None:
        """All learning rates as they are now, times a factor."""
        if factor != 1.0:
            for group in self.optimizer.param_groups:
                group["lr"] = self._rate_of(group) * factor

    def pace(self, factor: float) -> None:
        """All learning rates at a factor of what the optimizer was made with: a schedule's."""
        for group, full in zip(self.optimizer.param_groups, self._rates, strict=True):
            self._rate_of(group)
            group["lr"] = full * factor

    def _rate_of(self, group: Mapping[str, Any]) -> Any:
        if group.get("lr") is None:
            raise SettingError(
                f"optimizer={self._path!r}: has a group without lr, so no schedule and no fork can change its rate; leave "
                "out schedule, or give every group its lr"
            )
        return group["lr"]


class KnownGradient(torch.autograd.Function):
    """A loss whose gradient is known: after `backward()` it stands in `.grad`, once, whoever called it already."""

    @staticmethod
    def forward(ctx: Any, loss: float, gradient: Tensor, driven: Driven, *params: Tensor) -> Tensor:
        """The loss; `params` are those whose gradient is known."""
        ctx.known = gradient, driven
        return gradient.new_tensor(loss)

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient in place of whatever stood in `.grad`: autograd adds to what it finds there."""
        gradient, driven = ctx.known
        parts = [span.of(gradient) * above[0] for span in driven.spans]
        for tensor in driven.params:
            tensor.grad = None
        return None, None, None, *parts


def _numpys_state() -> tuple[Any, ...]:
    found = np.random.get_state(legacy=True)  # noqa: NPY002 - what optimizers draw from
    assert isinstance(found, tuple)
    return found


@contextmanager
def own_random_numbers(like: Tensor) -> Iterator[Callable[[], bool]]:
    """What is drawn in here leaves the global generators of torch, NumPy and Python as they were.

    What it gives tells, inside, whether anything was drawn since.
    """
    of_numpy, of_python = _numpys_state(), random.getstate()
    before = torch.get_rng_state()
    there = None if like.is_cpu else torch.cuda.get_rng_state(like.device)

    def drawn() -> bool:
        now = _numpys_state()
        return (
            now[2] != of_numpy[2]
            or not np.array_equal(now[1], of_numpy[1])
            or random.getstate() != of_python
            or not torch.equal(torch.get_rng_state(), before)
            or (there is not None and not torch.equal(torch.cuda.get_rng_state(like.device), there))
        )

    try:
        with torch.random.fork_rng(devices=[] if like.is_cpu else [like.device], enabled=not like.is_cpu):
            yield drawn
    finally:
        torch.set_rng_state(before)
        np.random.set_state(of_numpy)  # noqa: NPY002
        random.setstate(of_python)


def seed_draws(like: Tensor, seed: int, done: int) -> None:
    """Seed the generators so that what an optimizer draws depends on its member's seed and the updates made alone."""
    number = seed_of(seed, "optimizer", done)
    random.seed(number)
    np.random.seed(number % 2**32)  # noqa: NPY002
    if like.is_cpu:  # torch.manual_seed would write down a traceback for every device that is not there
        torch.default_generator.manual_seed(number)
    else:
        torch.manual_seed(number)


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same to the bit; numbers that have failed are like themselves."""
    return torch.equal(one, other) or torch.equal(one.nan_to_num(), other.nan_to_num())


def train_mode(optimizer: torch.optim.Optimizer) -> None:
    """Where it has `train()` and `eval()`: those that do refuse to step before they are told."""
    if callable(getattr(optimizer, "train", None)) and callable(getattr(optimizer, "eval", None)):
        optimizer.train()  # type: ignore[attr-defined]
