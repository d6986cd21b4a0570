"""What one step of an optimizer costs by itself, over a step of plain SGD: a ratio, so that machines can be compared."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from spikecheck.core.scorecard import Contestant
from spikecheck.core.setting import Setting
from spikecheck.dynamics.abilities import abilities
from spikecheck.dynamics.driven import Order
from spikecheck.problems.models import FromModule, Model
from spikecheck.problems.objective import objective
from spikecheck.problems.tensors import Span, spans, torchs_order

BLOCKS = 24
"""Blocks of steps, each timed right after one of SGD's."""
_STEPS = 30
_SHAPES = {
    "layers.0.weight": (64, 64),
    "layers.0.bias": (64,),
    "layers.1.weight": (10, 64),
    "layers.1.bias": (10,),
}
"""Tensors of a small network: what is measured is mostly the optimizer's own Python."""

_IN_TORCH: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "gd": ("torch.optim:SGD", {}),
    "heavy-ball": ("torch.optim:SGD", {"momentum": 0.9}),
    "nesterov": ("torch.optim:SGD", {"momentum": 0.9, "nesterov": True}),
    "rmsprop": ("torch.optim:RMSprop", {}),
    "adam": ("torch.optim:Adam", {}),
    "adamw": ("torch.optim:AdamW", {}),
}


def time_ratios(contestant: Contestant, model: Model | None = None) -> tuple[float, ...]:
    """log2 of the time of a step over one of SGD's on the tensors of `model`, else of a small net, block by block.

    spikecheck's own rules stand for torch's: the same arithmetic, and what a user would run.
    """
    yardstick = Contestant(optimizer="gd", lr=contestant.lr)
    candidate, plain = _stepping(contestant, model), _stepping(yardstick, model)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for step in (candidate, plain):
            _timed(step)
        pairs = [(_timed(candidate), _timed(plain)) for _ in range(BLOCKS)]
    finally:
        torch.set_num_threads(threads)
    ratios = torch.tensor([own / sgd for own, sgd in pairs], dtype=torch.float64).log2()
    return tuple(float(ratio) for ratio in ratios)


def own_model(setting: Setting) -> Model | None:
    """The model of a setting, where it is a user's own: an optimizer may look at the names of its parameters."""
    model = objective([setting]).model
    return model if isinstance(model, FromModule) else None


def state_size(contestant: Contestant, model: Model | None = None) -> float | None:
    """Numbers of state a parameter of `model`, else of a small net; None where the state_dict does not tell."""
    order = _order(contestant, model)
    template = abilities(order, contestant.lr, _STEPS).template
    return None if template is None else _held(template["state"]) / order.spans[-1].stop


def _held(state: Any) -> int:
    """Numbers in tensors, however deep."""
    if isinstance(state, Tensor):
        return state.numel()
    parts = state.values() if isinstance(state, Mapping) else state if isinstance(state, list | tuple) else ()
    return sum(map(_held, parts))


def _order(contestant: Contestant, model: Model | None) -> Order:
    tensors = _small() if model is None else torchs_order(spans(model))[1]
    path, options = contestant.optimizer, contestant.options
    if path in _IN_TORCH:
        path, known = _IN_TORCH[path]
        options = tuple(known.items())
    return Order(path, options, tensors, torch.float32)


def _small() -> tuple[Span, ...]:
    found: list[Span] = []
    for name, shape in _SHAPES.items():
        found.append(Span(name, found[-1].stop if found else 0, shape))
    return tuple(found)


def _stepping(contestant: Contestant, model: Model | None) -> Callable[[], object]:
    """One step of it, on the same gradient every time."""
    order = _order(contestant, model)
    generator = torch.Generator().manual_seed(0)
    row, gradient = torch.randn(2, order.spans[-1].stop, generator=generator)
    driven = order.of(row, 1e-9)
    closure = abilities(order, contestant.lr, _STEPS).closure

    def evaluated() -> Tensor:
        driven.feed(gradient.clone())
        return torch.ones(())

    def step() -> None:
        driven.feed(gradient.clone())  # an optimizer may have taken the last one away
        driven.step(evaluated if closure else None)

    return step


def _timed(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(_STEPS):
        step()
    return time.perf_counter() - began
