"""What an optimizer can do, seen on a few steps of made-up gradients and not believed."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from spikecheck.core.errors import SettingError
from spikecheck.dynamics.ensemble import Ensemble
from spikecheck.dynamics.instances import Abilities, Alone, Evaluate, Order, Together
from spikecheck.dynamics.packing import count

_SCALES = (1.0, 1e3, 1e-3, 1.0)
"""Of the gradients: rules that clip, or that compare lengths, treat them differently."""


@lru_cache(maxsize=64)
def abilities(order: Order, lr: float) -> Abilities:
    """What an optimizer can do, seen on a few steps of two made-up members.

    Raises:
        SettingError: when it cannot be made or stepped, or when the same gradients lead to other numbers.
    """
    size = order.spans[-1].stop
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(2, size, generator=generator, dtype=torch.float64).to(order.dtype)
    slopes = [torch.randn(2, size, generator=generator, dtype=torch.float64).to(order.dtype) * s for s in _SCALES]
    probed = order.of(start[0].clone(), lr)
    averages = callable(getattr(probed, "train", None)) and callable(getattr(probed, "eval", None))
    closure = _wants_closure(order, lr, start, slopes[0])
    bare = Abilities(False, "", closure, averages, 0, None)
    ends, template = _ends(order, bare, start, slopes, lr)
    if not torch.equal(ends, _ends(order, bare, start, slopes, lr)[0]):
        raise SettingError(
            f"optimizer={order.path!r}: gives other numbers for the same gradients; it draws random numbers of its own, "
            "so give it a fixed seed"
        )
    try:
        able = replace(bare, numbers=count(template), template=template)
    except ValueError:  # what it holds is no number; `_why_not_resumed` says so
        able = bare
    resumes = _why_not_resumed(order, able, start, slopes, lr, ends)
    able = replace(able, resumes=resumes, numbers=0 if resumes else able.numbers)
    return replace(able, together=not closure and _same_together(order, able, start, slopes, lr, ends))


def _wants_closure(order: Order, lr: float, start: Tensor, slopes: Tensor) -> bool:
    """Whether `step` cannot be called without one.

    Raises:
        SettingError: when it cannot be called with one either.
    """
    for closure in (False, True):
        live = Alone(order, Abilities(False, "", closure, False, 0, None), _fresh(start, lr), _tilted(slopes))
        try:
            live.step(start, slopes, torch.full((len(start),), lr, dtype=torch.float64), None)
        except Exception as error:
            if closure:
                raise SettingError(
                    f"optimizer={order.path!r}: its step raised {type(error).__name__}: {error}; try it on one model by itself"
                ) from error
        else:
            return closure
    raise AssertionError


def _ends(order: Order, able: Abilities, start: Tensor, slopes: list[Tensor], lr: float) -> tuple[Tensor, Any]:
    """Where one instance a member ends, and a state_dict there."""
    live = Alone(order, able, _fresh(start, lr), _tilted(slopes[0]))
    params = start
    for slope in slopes:
        params = live.step(params, slope, torch.full((len(start),), lr, dtype=torch.float64), None)
    return params, live._optimizers[0].state_dict()


def _why_not_resumed(
    order: Order, able: Abilities, start: Tensor, slopes: list[Tensor], lr: float, ends: Tensor
) -> str:
    """Stopped half-way, turned into numbers and gone on with by a new instance: empty where it ends at the same bits.

    Parameters and state: an average that is not trained on shows in the state alone.
    """
    rates = torch.full((len(start),), lr, dtype=torch.float64)
    try:
        first = Alone(order, able, _fresh(start, lr), _tilted(slopes[0]))
        params = start
        for slope in slopes[:2]:
            params = first.step(params, slope, rates, None)
        half = replace(_fresh(params, lr), slots={"state": first.state()}, done=torch.full((len(start),), 2))
        second = Alone(order, able, half, _tilted(slopes[0]))
        for slope in slopes[2:]:
            params = second.step(params, slope, rates, None)
        whole = Alone(order, able, _fresh(start, lr), _tilted(slopes[0]))
        there = start
        for slope in slopes:
            there = whole.step(there, slope, rates, None)
        alike = torch.equal(params, ends) and torch.equal(second.state(), whole.state())
    except Exception as error:
        return f"its state_dict cannot be stored ({type(error).__name__}: {error})"
    return "" if alike else "it remembers what its state_dict does not hold"


def _same_together(order: Order, able: Abilities, start: Tensor, slopes: list[Tensor], lr: float, ends: Tensor) -> bool:
    rates = torch.full((len(start),), lr, dtype=torch.float64)
    try:
        live = Together(order, able, _fresh(start, lr), None)
        params = start
        for slope in slopes:
            params = live.step(params, slope, rates, None)
        alone = Alone(order, able, _fresh(start, lr), None)
        there = start
        for slope in slopes:
            there = alone.step(there, slope, rates, None)
        return torch.equal(params, ends) and torch.equal(live.state(), alone.state())
    except Exception:
        return False


def _fresh(params: Tensor, lr: float) -> Ensemble:
    members = len(params)
    rates = torch.full((members,), lr, dtype=torch.float64)
    return Ensemble(params, {}, torch.zeros(members, dtype=torch.int64), rates, torch.ones(members, dtype=torch.bool))


def _tilted(slopes: Tensor) -> Evaluate:
    """A tilted bowl, for closures."""
    return lambda member, row: (float((slopes[member] * row + row * row / 2).sum()), slopes[member] + row)
