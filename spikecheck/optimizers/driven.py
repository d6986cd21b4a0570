"""One optimizer with its parameters, called as in torch's ordinary loop.

Parameters, their `.data` and their `.grad` belong to the optimizer. Before every step and inside closures its `zero_grad()`
is called, and gradients reach the tensors as in a backward pass: hooks on a tensor run, a frozen tensor gets none, and what
`zero_grad()` has left is added to. The parameters after a step are read from the tensors. A learning rate that the optimizer
sets stays, unless the setting has a schedule.
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

from spikecheck.core.errors import USERS_ERRORS, SettingError, first_line
from spikecheck.core.import_path import made, named
from spikecheck.models.parameter_layout import Span
from spikecheck.tensors.seeding import seed_of


@dataclass(frozen=True)
class OptimizerFactory:
    """Makes optimizers of one kind, with one set of options, for tensors of one layout."""

    path: str
    options: tuple[tuple[str, Any], ...]
    spans: tuple[Span, ...]
    dtype: torch.dtype

    def of(self, row: Tensor, lr: float) -> "Driven":
        """An optimizer with its own tensors, which start from one member's parameters, `row` [P]."""
        return Driven(
            self.path, self._made([(s.name, nn.Parameter(s.of(row).clone())) for s in self.spans], lr), self.spans
        )

    def of_all(self, rows: Tensor, lr: float) -> tuple[torch.optim.Optimizer, nn.Parameter]:
        """One optimizer for all members' parameters, `rows` [B, P], as a single tensor."""
        whole = nn.Parameter(rows.clone())
        return self._made([("all", whole)], lr)[0], whole

    def _made(
        self, tensors: list[tuple[str, nn.Parameter]], lr: float
    ) -> tuple[torch.optim.Optimizer, list[nn.Parameter]]:
        imported = named("optimizer", self.path)
        is_class = isinstance(imported, type)
        if is_class and not issubclass(imported, torch.optim.Optimizer):
            raise SettingError(
                f"optimizer={self.path!r}: is not a torch.optim.Optimizer; name a subclass, or a function"
            )
        params = [tensor for _, tensor in tensors]
        with _said_once():
            optimizer = made("optimizer", self.path, params if is_class else tensors, lr=lr, **dict(self.options))
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise SettingError(
                f"optimizer={self.path!r}: returned {type(optimizer).__name__}; a function gets the named parameters, "
                "lr and the options, and returns a torch.optim.Optimizer"
            )
        _check_groups(self.path, optimizer, tensors)
        return optimizer, params


def _check_groups(path: str, optimizer: torch.optim.Optimizer, tensors: Sequence[tuple[str, nn.Parameter]]) -> None:
    grouped = [id(tensor) for group in optimizer.param_groups for tensor in group["params"]]
    names = [name for name, tensor in tensors if grouped.count(id(tensor)) != 1]
    if names:
        raise SettingError(
            f"optimizer={path!r}: {', '.join(names)} of the model's {len(tensors)} tensors is not "
            "in exactly one of its groups; every parameter must be"
        )
    if own := len(grouped) - len(tensors):
        raise SettingError(
            f"optimizer={path!r}: its groups hold {own} tensor{'s' * (own > 1)} besides the model's {len(tensors)}; keep "
            "what belongs to the optimizer in its state"
        )


_said: set[str] = set()


@contextmanager
def _said_once() -> Iterator[None]:
    """A context that writes printed text to standard error, each text once: the same optimizer is made many times."""
    heard = io.StringIO()
    try:
        with redirect_stdout(heard):
            yield
    finally:
        text = heard.getvalue()
        if text and text not in _said:
            _said.add(text)
            if sys.stderr is not None:  # `2>&-` closes it
                sys.stderr.write(text)


class Driven:
    """One optimizer with its parameters, in the order of the spans."""

    def __init__(
        self, path: str, made_of: tuple[torch.optim.Optimizer, list[nn.Parameter]], spans: Sequence[Span]
    ) -> None:
        self._path = path
        self.optimizer, self.params = made_of
        self.spans = spans
        self._rates: list[Any] = rates_of(self.optimizer)
        if has_modes(self.optimizer):  # such optimizers refuse to step before train()
            self.switch("train")

    @torch.no_grad()
    def put(self, row: Float[Tensor, " P"]) -> None:
        """Overwrite the parameters, wherever the optimizer stores them by now."""
        for tensor, span in zip(self.params, self.spans, strict=True):
            tensor.copy_(span.of(row))

    @torch.no_grad()
    def read(self) -> Float[Tensor, " P"]:
        """The current parameters.

        Raises:
            SettingError: when the optimizer has changed a parameter's shape.
        """
        for tensor, span in zip(self.params, self.spans, strict=True):
            if tuple(tensor.shape) != span.shape:
                raise SettingError(
                    f"optimizer={self._path!r}: changed the shape of {span.name} from {span.shape} to "
                    f"{tuple(tensor.shape)}; an optimizer must keep the shapes of its parameters"
                )
        return torch.cat([tensor.reshape(-1) for tensor in self.params])

    def feed(self, gradient: Float[Tensor, " P"]) -> None:
        """Do with a new gradient what `zero_grad()` and `backward()` do; the optimizer may keep or change it."""
        self.zero_grad()
        for tensor, span in zip(self.params, self.spans, strict=True):
            accumulate(tensor, span.of(gradient))

    def zero_grad(self) -> None:
        """The optimizer's `zero_grad()`. What torch's own does is done without its bookkeeping, a tenth of a small step."""
        if getattr(self.optimizer.zero_grad, "__func__", None) is not torch.optim.Optimizer.zero_grad:
            self.optimizer.zero_grad()
            return
        for group in self.optimizer.param_groups:
            for tensor in group["params"]:
                tensor.grad = None

    def step(self, closure: Callable[[], Tensor] | None = None) -> None:
        """Make one update."""
        if closure is None:
            self.optimizer.step()
        else:
            self.optimizer.step(closure)  # type: ignore[arg-type]  # torch's stub says float, its own closures give tensors

    def evaluate(self) -> Float[Tensor, " P"]:
        """The parameters after the optimizer's `eval()`."""
        self.switch("eval")
        return self.read()

    def switch(self, mode: str) -> None:
        """Call the optimizer's `train()` or `eval()`.

        Raises:
            SettingError: when it raises.
        """
        try:
            getattr(self.optimizer, mode)()
        except USERS_ERRORS as error:
            raise SettingError(
                f"optimizer={self._path!r}: its {mode}() raised {type(error).__name__}: {first_line(error)}; it must work "
                "without arguments, before the first step as after the last"
            ) from error

    def scale(self, factor: float) -> None:
        """Multiply all present learning rates by a factor."""
        if factor != 1.0:
            for group in self.optimizer.param_groups:
                group["lr"] = self._rate_of(group) * factor

    def pace(self, factor: float) -> None:
        """Set the learning rates to a schedule's factor times those that the optimizer was made with.

        As with torch's schedulers, a rate that is a tensor is filled.

        Raises:
            SettingError: when the optimizer has other groups than it was made with.
        """
        if len(self.optimizer.param_groups) != len(self._rates):
            raise SettingError(
                f"optimizer={self._path!r}: was made with {len(self._rates)} groups of parameters and has "
                f"{len(self.optimizer.param_groups)} now, which torch's schedulers refuse too; leave out schedule"
            )
        for group, full in zip(self.optimizer.param_groups, self._rates, strict=True):
            if isinstance(self._rate_of(group), Tensor):
                group["lr"].fill_(full * factor)
            else:
                group["lr"] = full * factor

    def _rate_of(self, group: Mapping[str, Any]) -> Any:
        if group.get("lr") is None:
            raise SettingError(
                f"optimizer={self._path!r}: has a group without lr, so no schedule and no fork can change its rate; leave "
                "out schedule, or give every group its lr"
            )
        return group["lr"]


def rates_of(optimizer: torch.optim.Optimizer) -> list[Any]:
    """The groups' present learning rates. Tensors are copied, since an optimizer may change its own in place."""
    rates = [group.get("lr") for group in optimizer.param_groups]
    return [rate.detach().clone() if isinstance(rate, Tensor) else rate for rate in rates]


def accumulate(tensor: nn.Parameter, gradient: Tensor) -> None:
    """Add a gradient to `tensor.grad` as a backward pass does; hooks on the tensor see and may change it."""
    if not tensor.requires_grad:
        return
    if tensor._backward_hooks or tensor._post_accumulate_grad_hooks:
        tensor.backward(gradient)  # type: ignore[no-untyped-call]
    elif tensor.grad is None:
        tensor.grad = gradient
    else:
        with torch.no_grad():
            tensor.grad += gradient


class KnownGradient(torch.autograd.Function):
    """A loss whose gradient is known. After `backward()`, `.grad` holds it exactly once, even after repeated calls."""

    @staticmethod
    def forward(ctx: Any, loss: float, gradient: Tensor, driven: Driven, *params: Tensor) -> Tensor:
        """The loss; `params` are the parameters whose gradient is known."""
        ctx.known = gradient, driven
        return gradient.new_tensor(loss)

    @staticmethod
    def backward(ctx: Any, *above: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient; `.grad` is cleared first, since autograd adds to it."""
        gradient, driven = ctx.known
        parts = [span.of(gradient) * above[0] for span in driven.spans]
        for tensor in driven.params:
            tensor.grad = None
        return None, None, None, *parts


def known_loss(loss: float, gradient: Tensor, driven: Driven) -> Tensor:
    """What a closure returns: a loss that can be read, and that may be passed backward once more."""
    with torch.enable_grad():
        whole: Tensor = KnownGradient.apply(loss, gradient, driven, *driven.params)  # type: ignore[no-untyped-call]
    return whole


def _numpys_state() -> tuple[Any, ...]:
    state = np.random.get_state(legacy=True)  # noqa: NPY002 - what optimizers draw from
    assert isinstance(state, tuple)
    return state


@contextmanager
def own_random_numbers(like: Tensor) -> Iterator[Callable[[], bool]]:
    """A context whose draws leave the global generators of torch, NumPy and Python as they were.

    It yields a function that says whether anything was drawn since the context was entered.
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
    """Seed the generators so that an optimizer's draws depend only on its member's seed and the updates made."""
    number = seed_of(seed, "optimizer", done)
    random.seed(number)
    np.random.seed(number % 2**32)  # noqa: NPY002
    if like.is_cpu:  # torch.manual_seed would record a traceback for every device that is missing
        torch.default_generator.manual_seed(number)
    else:
        torch.manual_seed(number)


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are equal bit for bit; NaN equals NaN."""
    return torch.equal(one, other) or torch.equal(one.nan_to_num(), other.nan_to_num())


def has_modes(optimizer: torch.optim.Optimizer) -> bool:
    """Whether an optimizer has `train()` and `eval()`, and so evaluates other parameters than it trains."""
    return all(callable(getattr(optimizer, mode, None)) for mode in ("train", "eval"))
