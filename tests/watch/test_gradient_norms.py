"""Whether all gradients were multiplied by one factor, on trainings that change them in many ways."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from spikecheck import Watch
from spikecheck.watch.gradient_norms import GradientNorms, _norm
from spikecheck.watch.log import WatchLog
from tests.watch.trainings import plain

Change = Callable[[nn.Module], object]


def replaced(model: nn.Module, factor: float) -> None:
    for parameter in model.parameters():
        assert parameter.grad is not None
        parameter.grad = factor * parameter.grad


def by_layer(model: nn.Module) -> None:
    for parameter in model.parameters():
        nn.utils.clip_grad_norm_([parameter], 0.05)


def noisy(model: nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        assert parameter.grad is not None
        parameter.grad += 0.1 * parameter.grad.norm() * torch.randn(parameter.shape, generator=generator)


def nothing(model: nn.Module) -> None:
    """As the backward pass left them."""


CHANGES: dict[str, tuple[Change, bool]] = {
    "nothing": (nothing, True),
    "clipped by norm": (lambda model: nn.utils.clip_grad_norm_(model.parameters(), 0.1), True),
    "replaced": (partial(replaced, factor=0.95), True),
    "scaled beyond squares": (partial(replaced, factor=2.0**70), True),
    "clipped by value": (lambda model: nn.utils.clip_grad_value_(model.parameters(), 0.01), False),
    "clipped by layer": (by_layer, False),
    "noisy": (noisy, False),
}


def backward(model: nn.Module) -> None:
    torch.autograd.backward(model(torch.randn(32, 4, generator=torch.Generator().manual_seed(1))).square().mean())


@pytest.mark.parametrize("name", CHANGES)
def test_one_factor_is_told_from_other_changes(name: str) -> None:
    change, one = CHANGES[name]
    torch.manual_seed(0)
    model = plain()
    parameters = list(model.parameters())
    norms = GradientNorms(parameters, lambda work: work)
    backward(model)
    change(model)
    met = [None if p.grad is None else float(p.grad.double().norm()) for p in parameters]
    assert norms.one_factor(parameters, met) is one
    norms.remove()
    assert not any(parameter._post_accumulate_grad_hooks for parameter in parameters)


@pytest.mark.parametrize("size", [0.0, 1e-30, 1e-18, 1e-3, 1.0, 1e12, 1e25])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_norm_is_right_where_squares_leave_the_range_of_single_precision(size: float, dtype: torch.dtype) -> None:
    assert float(_norm(torch.full((400,), size, dtype=dtype))) == pytest.approx(20.0 * size, rel=1e-5)


def test_a_gradient_from_before_is_not_known() -> None:
    model = plain()
    backward(model)
    norms = GradientNorms(list(model.parameters()), lambda work: work)
    assert norms.one_factor(list(model.parameters()), [1.0] * 4) is False
    assert norms.one_factor(list(model.parameters()), [None] * 4) is True
    norms.remove()


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "scaled beyond squares"])
def test_the_overshoot_is_that_of_the_losss_own_gradient(name: str, tmp_path: Path) -> None:
    """Regression: between two checking looks values were clipped, and slopes of them logged as the loss's: -1.8 for 0.006."""
    torch.manual_seed(0)
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    expected = watched(model, optimizer, CHANGES[name][0], tmp_path / "log.jsonl", since=2)
    looks = [step.look for step in WatchLog.open(tmp_path / "log.jsonl").ordered()]
    assert [look.overshoot for look in looks if look is not None] == pytest.approx(expected, abs=5e-3)


def watched(model: nn.Module, optimizer: Any, change: Change, log: Path, since: int) -> list[float]:
    """Overshoots of 12 steps, computed beside; gradients are changed from a step on."""
    generator = torch.Generator().manual_seed(1)
    overshoots = []
    with Watch(model, optimizer, log=log, every=1, show=False) as watch:
        for step in range(12):
            loss_of = partial(_loss, model, torch.randn(16, 4, generator=generator))
            optimizer.zero_grad()
            loss = loss_of()
            loss.backward()
            slopes = [p.grad.clone() for p in model.parameters() if p.grad is not None]
            before = [p.detach().clone() for p in model.parameters()]
            if step >= since:
                change(model)
            optimizer.step()
            pairs = zip(slopes, model.parameters(), before, strict=True)
            slope = sum(float((g * (p.detach() - b)).sum()) for g, p, b in pairs)
            overshoots.append(1.0 - (float(loss_of().detach()) - float(loss.detach())) / slope)
            watch.step(loss, loss_of)
    return overshoots


def _loss(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return (model(x) - x.sum(1, keepdim=True)).square().mean()


def test_a_scaler_whose_steps_are_clipped_from_a_step_on_does_not_clip_the_slope(tmp_path: Path) -> None:
    """Regression: the factor of both was undone, a slope 65536 times too steep, and the overshoot 1 with an error of 0."""
    torch.manual_seed(0)
    model = plain()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    x = torch.randn(32, 4)
    with Watch(model, optimizer, log=tmp_path / "log.jsonl", every=1, show=False) as watch:
        for step in range(10):
            loss = _loss(model, x)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            if step >= 5:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            scaler.step(optimizer)
            scaler.update()
            watch.step(loss, partial(_loss, model, x))
    looks = [step.look for step in WatchLog.open(tmp_path / "log.jsonl").ordered()]
    assert all(look is not None and look.overshoot is not None and look.overshoot < 0.5 for look in looks)
