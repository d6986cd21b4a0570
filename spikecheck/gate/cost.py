"""What one step of an optimizer costs by itself, over a step of plain SGD: a ratio, so that machines can be compared."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from spikecheck.core.scorecard import Contestant
from spikecheck.dynamics.abilities import abilities
from spikecheck.dynamics.instances import Order, train_mode
from spikecheck.problems.tensors import Span

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


def time_ratios(contestant: Contestant) -> tuple[float, ...]:
    """log2 of the time of a step over one of SGD's, block by block.

    spikecheck's own rules stand for torch's: the same arithmetic, and what a user would run.
    """
    candidate, yardstick = _stepping(contestant), _stepping(Contestant(optimizer="gd", lr=contestant.lr))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for step in (candidate, yardstick):
            _timed(step)
        pairs = [(_timed(candidate), _timed(yardstick)) for _ in range(BLOCKS)]
    finally:
        torch.set_num_threads(threads)
    ratios = torch.tensor([own / sgd for own, sgd in pairs], dtype=torch.float64).log2()
    return tuple(float(ratio) for ratio in ratios)


def state_size(contestant: Contestant) -> float | None:
    """Numbers of state a parameter; None where the state_dict does not tell."""
    order = _order(contestant)
    template = abilities(order, contestant.lr).template
    return None if template is None else _held(template["state"]) / order.spans[-1].stop


def _held(state: Any) -> int:
    """Numbers in tensors, however deep."""
    if isinstance(state, Tensor):
        return state.numel()
    parts = state.values() if isinstance(state, Mapping) else state if isinstance(state, list | tuple) else ()
    return sum(map(_held, parts))


def _order(contestant: Contestant) -> Order:
    spans: list[Span] = []
    for name, shape in _SHAPES.items():
        spans.append(Span(name, spans[-1].stop if spans else 0, shape))
    path, options = contestant.optimizer, contestant.options
    if path in _IN_TORCH:
        path, known = _IN_TORCH[path]
        options = tuple(known.items())
    return Order(path, options, tuple(spans), torch.float32)


def _stepping(contestant: Contestant) -> Callable[[], object]:
    """One step of it, on gradients that stay as they are."""
    order = _order(contestant)
    generator = torch.Generator().manual_seed(0)
    row, gradient = torch.randn(2, order.spans[-1].stop, generator=generator)
    optimizer = order.of(row, 1e-9)
    train_mode(optimizer)
    for group in optimizer.param_groups:
        for tensor in group["params"]:
            tensor.grad = torch.ones_like(tensor) * gradient.mean()
    if abilities(order, contestant.lr).closure:
        return partial(optimizer.step, gradient.mean)
    return optimizer.step


def _timed(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(_STEPS):
        step()
    return time.perf_counter() - began
