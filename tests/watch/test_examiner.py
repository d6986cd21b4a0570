"""The overshoot against closed forms, and against Hessian products by autograd."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from spikecheck import Watch
from spikecheck.core.watched import Look
from spikecheck.watch.log import WatchLog
from tests.watch.trainings import plain


class Quadratic(nn.Module):
    """Half the sum of eigenvalue times weight squared."""

    def __init__(self, eigenvalues: Tensor, start: Tensor) -> None:
        super().__init__()
        self.eigenvalues, self.weight = eigenvalues, nn.Parameter(start.clone())

    def forward(self) -> Tensor:
        return 0.5 * (self.eigenvalues * self.weight.square()).sum()


def looks(folder: Path) -> list[Look]:
    return [step.look for step in WatchLog.open(folder / "log.jsonl").ordered() if step.look is not None]


def watched(model: Quadratic, folder: Path, scale: float = 1.0, steps: int = 3, **options: float) -> list[Look]:
    optimizer = torch.optim.SGD(model.parameters(), **options)  # type: ignore[arg-type]
    with Watch(model, optimizer, log=folder / "log.jsonl", every=1, show=False) as watch:
        for _ in range(steps):
            optimizer.zero_grad()
            loss = model()
            (scale * loss).backward()
            optimizer.step()
            watch.step(loss, model)
    return looks(folder)


@given(lr=st.floats(0.01, 1.5), eigenvalue=st.floats(0.1, 4.0))
def test_along_an_eigendirection_it_is_rate_times_eigenvalue_over_two(
    lr: float, eigenvalue: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = Quadratic(
        torch.tensor([eigenvalue, 1.0, 0.2], dtype=torch.float64), torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    )
    for look in watched(model, tmp_path_factory.mktemp("log"), lr=lr):
        if look.overshoot is None:  # the minimum was reached at the first step
            assert abs(lr * eigenvalue - 1.0) < 1e-6
        else:
            assert look.overshoot == pytest.approx(lr * eigenvalue / 2.0, rel=1e-9)


@given(lr=st.floats(0.01, 0.9))
def test_on_any_quadratic_it_is_half_the_curvature_along_the_update_over_the_slope(
    lr: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    eigenvalues = torch.tensor([2.0, 0.5, 0.1], dtype=torch.float64)
    start = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64)
    look = watched(Quadratic(eigenvalues, start), tmp_path_factory.mktemp("log"), steps=1, lr=lr)[0]
    gradient = eigenvalues * start
    expected = lr * (eigenvalues * gradient.square()).sum() / gradient.square().sum() / 2.0
    assert look.overshoot == pytest.approx(float(expected), rel=1e-9)
    assert look.slope == pytest.approx(-lr * float(gradient.square().sum()), rel=1e-9)


@pytest.mark.parametrize("scale", [1.0, 0.25, 1024.0])
def test_a_scaled_loss_is_seen_through(scale: float, tmp_path: Path) -> None:
    """As by a gradient scaler that was not undone, or a mean over accumulated batches: the half step is asked."""
    model = Quadratic(torch.tensor([2.0, 0.5], dtype=torch.float64), torch.tensor([1.0, 1.0], dtype=torch.float64))
    found = watched(model, tmp_path, scale=scale, steps=5, lr=0.1 / scale)
    assert {look.slope_from for look in found} == {"gradient" if scale == 1.0 else "half step"}
    model = Quadratic(torch.tensor([2.0, 0.5], dtype=torch.float64), torch.tensor([1.0, 1.0], dtype=torch.float64))
    (tmp_path / "own").mkdir()
    own = watched(model, tmp_path / "own", steps=5, lr=0.1)
    for one, other in zip(found, own, strict=True):
        assert one.overshoot == pytest.approx(other.overshoot, rel=1e-6)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_it_agrees_with_the_hessian_product_along_the_update_where_steps_are_small(
    optimizer: str, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = plain().double()
    params = list(model.parameters())
    rule = getattr(torch.optim, optimizer)(params, lr=1e-2 if optimizer == "SGD" else 3e-4)
    x = torch.randn(64, 4).double()
    y = x.sin().sum(1, keepdim=True)

    def loss_of() -> Tensor:
        return (model(x) - y).square().mean()

    expected = []
    with Watch(model, rule, log=tmp_path / "log.jsonl", every=1, show=False) as watch:
        for _ in range(12):
            before = [p.detach().clone() for p in params]
            loss = loss_of()
            gradients = torch.autograd.grad(loss, params, create_graph=True)
            for p, g in zip(params, gradients, strict=True):
                p.grad = g.detach().clone()
            held = [g.detach() for g in gradients]
            state = {name: value.clone() for name, value in model.state_dict().items()}
            rule.step()
            watch.step(loss.detach(), loss_of)
            update = [p.detach() - b for p, b in zip(params, before, strict=True)]
            expected.append(_by_hessian(model, loss_of, state, held, update))
    for look, hessian in zip(looks(tmp_path), expected, strict=True):
        assert look.overshoot == pytest.approx(hessian, rel=0.02)


def _by_hessian(
    model: nn.Module, loss_of: Any, state: dict[str, Tensor], held: list[Tensor], update: list[Tensor]
) -> float:
    """-uHu / 2gu by double backward at the parameters before the step."""
    after = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    params = list(model.parameters())
    gradients = torch.autograd.grad(loss_of(), params, create_graph=True)
    along: Any = sum((g * u).sum() for g, u in zip(gradients, update, strict=True))
    bend: Any = sum((h * u).sum() for h, u in zip(torch.autograd.grad(along, params), update, strict=True))
    slope: Any = sum((g * u).sum() for g, u in zip(held, update, strict=True))
    model.load_state_dict(after)
    return float(-bend / 2.0 / slope)


def test_a_change_below_rounding_gives_no_figure(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Quadratic(torch.tensor([1.0, 1.0]), torch.tensor([1.0, 1.0]))
    for look in watched(model, tmp_path, lr=1e-9):
        assert look.overshoot is None and look.unresolved is not None


def test_bfloat16_is_resolved_only_where_rounding_allows(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Linear(64, 1).bfloat16()
    x = torch.randn(512, 64).bfloat16()
    y = x.float().sum(1, keepdim=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    reference = nn.Linear(64, 1)
    reference.load_state_dict(model.state_dict())

    def loss_of(net: nn.Module, to: torch.dtype) -> Tensor:
        return (net(x.to(to)).float() - y).square().mean()

    with Watch(model, optimizer, log=tmp_path / "log.jsonl", every=1, show=False) as watch:
        for _ in range(20):
            loss = loss_of(model, torch.bfloat16)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            watch.step(loss, lambda: loss_of(model, torch.bfloat16))
    found = looks(tmp_path)
    # Features are independent with variance 1: the Hessian is about 2, and the overshoot 0.1 where it is resolved.
    resolved = [look.overshoot for look in found if look.overshoot is not None]
    assert resolved and all(abs(value - 0.1) < 0.08 for value in resolved)


def test_a_loss_that_was_lost_in_rounding_is_resolved_once_it_is_large(tmp_path: Path) -> None:
    """Regression: after losses of 1e-7, whose rounding is as large, a spike from them had no overshoot."""
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    x, classes = torch.randn(32, 4), torch.zeros(32, dtype=torch.int64)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e6)

    def loss_of() -> Tensor:
        return nn.functional.cross_entropy(model(x), classes)

    with Watch(model, optimizer, log=tmp_path / "log.jsonl", every=1, show=False) as watch:
        with torch.no_grad():
            model.weight.zero_()
            model.bias.copy_(torch.tensor([16.0, 0.0, 0.0]))
        for step in range(9):
            if step == 6:  # as a spike does, within the looks from which rounding was learned
                optimizer.param_groups[0]["lr"] = 1.0
                with torch.no_grad():
                    model.bias.neg_()
            optimizer.zero_grad()
            loss = loss_of()
            loss.backward()
            optimizer.step()
            watch.step(loss, loss_of)
    first, *large = looks(tmp_path)[6:]
    assert first.unresolved is not None  # what the tiny losses showed is all that is known
    assert all(look.overshoot is not None and abs(look.overshoot) < 1e-3 for look in large)


def test_momentum_that_climbs_is_said_to_climb(tmp_path: Path) -> None:
    model = Quadratic(torch.tensor([1.0], dtype=torch.float64), torch.tensor([1.0], dtype=torch.float64))
    found = watched(model, tmp_path, steps=40, lr=0.1, momentum=0.95)
    climbing = [look for look in found if look.slope is not None and look.slope >= 0.0]
    assert climbing and all(look.overshoot is None and "does not descend" in str(look.unresolved) for look in climbing)


class Ramp(nn.Module):
    """The sum of the weights above 0."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.05]))

    def forward(self) -> Tensor:
        return self.weight.relu().sum()


def test_a_loss_of_exactly_0_does_not_end_the_watching(tmp_path: Path) -> None:
    """Momentum goes on where the loss is 0 before and after the step."""
    model = Ramp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with Watch(model, optimizer, log=tmp_path / "log.jsonl", every=1, show=False) as watch:
        for _ in range(6):
            optimizer.zero_grad()
            loss = model()
            loss.backward()
            optimizer.step()
            watch.step(loss, model)
    seen = looks(tmp_path)
    assert len(seen) == 6
    assert [look.overshoot for look in seen[1:]] == [None] * 5
