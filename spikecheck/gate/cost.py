"""The cost of one optimizer step, divided by that of plain SGD: a ratio, so that machines can be compared."""

import gc
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

from spikecheck.core.scorecard import OptimizerSpec
from spikecheck.core.setting import Setting
from spikecheck.models.model import FromModule, Model
from spikecheck.models.parameter_layout import Span, spans, torchs_order
from spikecheck.objective.objective import build_objective
from spikecheck.optimizers.capabilities import abilities
from spikecheck.optimizers.driven import Driven, OptimizerFactory, known_loss

BLOCKS = 24
"""Number of blocks of steps, each timed next to a block of SGD's."""
_STEPS = 30
_NUMBER = torch.float32
_SHAPES = {
    "layers.0.weight": (64, 64),
    "layers.0.bias": (64,),
    "layers.1.weight": (10, 64),
    "layers.1.bias": (10,),
}
"""Tensors of a small network, for which the time is mostly that of the optimizer's own Python."""

_IN_TORCH: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "gd": ("torch.optim:SGD", {}),
    "heavy-ball": ("torch.optim:SGD", {"momentum": 0.9}),
    "nesterov": ("torch.optim:SGD", {"momentum": 0.9, "nesterov": True}),
    "rmsprop": ("torch.optim:RMSprop", {}),
    "adam": ("torch.optim:Adam", {}),
    "adamw": ("torch.optim:AdamW", {}),
}


def time_ratios(contestant: OptimizerSpec, model: Model | None = None) -> tuple[float, ...]:
    """log2 of a step's time divided by SGD's, block by block, on the tensors of `model` or else of a small net.

    Built-in rules are timed as torch's optimizers of the same arithmetic, which are what a user would run.
    """
    candidate, plain = _Stepper.of(contestant, model), _Stepper.of(_plain(contestant), model)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for stepper in (candidate, plain):
            _timed(stepper)
        pairs = [(_timed(candidate), _timed(plain)) for _ in range(BLOCKS)]
    finally:
        torch.set_num_threads(threads)
    ratios = torch.tensor([own / sgd for own, sgd in pairs], dtype=torch.float64).log2()
    return tuple(float(ratio) for ratio in ratios)


def own_model(setting: Setting) -> Model | None:
    """The model of a setting if it is a user's module, since an optimizer may read its parameters' names; else None."""
    model = build_objective([setting]).model
    return model if isinstance(model, FromModule) else None


def memory(contestant: OptimizerSpec, model: Model | None = None) -> float:
    """Numbers for each parameter that the process stores after 60 steps, in excess of plain SGD, wherever they are kept.

    State that grows with the steps counts: one additional number for each parameter and step gives 60.
    """
    own = _added(contestant, model)
    plain = _added_by_plain(contestant.lr) if model is None else _added(_plain(contestant), model)
    return (own - plain) / _NUMBER.itemsize / _order(contestant, model).spans[-1].stop


@lru_cache(maxsize=8)
def _added_by_plain(lr: float) -> int:
    """Plain SGD's bytes on the small net, once a process: both sides of every gate need them, and counting takes long."""
    return _added(OptimizerSpec(optimizer="gd", lr=lr), None)


def _added(contestant: OptimizerSpec, model: Model | None) -> int:
    """Bytes that an optimizer and its parameters add to the process's tensors."""
    abilities(_order(contestant, model), contestant.lr, _STEPS)  # first, so that tensors kept by this are not counted
    before = bytes_held()
    stepper = _Stepper.of(contestant, model)
    for _ in range(2 * _STEPS):
        stepper.step()
    stepper.driven.optimizer.zero_grad()
    return bytes_held() - before


def bytes_held() -> int:
    """Bytes of all tensors that this process can reach."""
    gc.collect()
    kept = {}
    for candidate in gc.get_objects():
        if issubclass(type(candidate), Tensor) and _holds_memory(candidate):
            storage = candidate.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
    return sum(kept.values())


def _holds_memory(tensor: Tensor) -> bool:
    """Not tensors without data, which torch's compiler keeps of what it has traced."""
    return tensor.layout is torch.strided and tensor.device.type != "meta" and not isinstance(tensor, FakeTensor)


def _plain(contestant: OptimizerSpec) -> OptimizerSpec:
    """Plain SGD, the denominator of every ratio."""
    return OptimizerSpec(optimizer="gd", lr=contestant.lr)


def _order(contestant: OptimizerSpec, model: Model | None) -> OptimizerFactory:
    tensors = _small() if model is None else torchs_order(spans(model))[1]
    path, options = contestant.optimizer, contestant.options
    if path in _IN_TORCH:
        path, known = _IN_TORCH[path]
        options = tuple(known.items())
    return OptimizerFactory(path, options, tensors, _NUMBER)


def _small() -> tuple[Span, ...]:
    spans: list[Span] = []
    for name, shape in _SHAPES.items():
        spans.append(Span(name, spans[-1].stop if spans else 0, shape))
    return tuple(spans)


@dataclass(frozen=True)
class _Stepper:
    """One optimizer that receives the same gradient [P] at every step."""

    driven: Driven
    gradient: Tensor
    closure: bool

    @classmethod
    def of(cls, contestant: OptimizerSpec, model: Model | None) -> Self:
        order = _order(contestant, model)
        generator = torch.Generator().manual_seed(0)
        row, gradient = torch.randn(2, order.spans[-1].stop, generator=generator).unbind()
        return cls(order.of(row, 1e-9), gradient.clone(), abilities(order, contestant.lr, _STEPS).closure)

    def step(self) -> None:
        """One update, with a copy of the gradient, since an optimizer may modify it."""
        self.driven.feed(self.gradient.clone())
        self.driven.step(self._evaluated if self.closure else None)

    def _evaluated(self) -> Tensor:
        gradient = self.gradient.clone()
        self.driven.feed(gradient)
        return known_loss(1.0, gradient, self.driven)


def _timed(stepper: _Stepper) -> float:
    began = time.perf_counter()
    for _ in range(_STEPS):
        stepper.step()
    return time.perf_counter() - began
