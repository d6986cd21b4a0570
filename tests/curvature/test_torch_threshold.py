"""Thresholds of torch's optimizers: against what the optimizers themselves do on quadratics, and dense Hessians."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spikecheck.core.errors import SettingError
from spikecheck.curvature.directional import model_curvature
from spikecheck.curvature.torch_threshold import Edge, preconditioned_sharpness, rule_now
from tests.curvature.test_directional import Point, dense, small
from tests.curvature.test_directional import data as points

Make = Callable[[list[nn.Parameter]], torch.optim.Optimizer]
LR = 0.1
_SETTLED = 10**9
"""Steps after which bias corrections are gone."""


def frozen(optimizer: torch.optim.Optimizer, squares: Tensor) -> torch.optim.Optimizer:
    """With a second moment that no longer moves, and no momentum yet."""
    for parameter in optimizer.param_groups[0]["params"]:
        names = ["square_avg"] if isinstance(optimizer, torch.optim.RMSprop) else ["exp_avg", "exp_avg_sq"]
        state: dict[str, Any] = {name: torch.zeros_like(parameter) for name in names}
        state[names[-1]] = squares.clone()
        state["step"] = torch.tensor(float(_SETTLED))
        if isinstance(optimizer, torch.optim.RMSprop):
            state |= {"momentum_buffer": torch.zeros_like(parameter), "grad_avg": torch.zeros_like(parameter)}
        optimizer.state[parameter] = state
    return optimizer


def sgd(**options: Any) -> Make:
    return lambda params: torch.optim.SGD(params, lr=LR, **options)


def adam(kind: type[torch.optim.Adam] = torch.optim.Adam, **options: Any) -> Make:
    squares = torch.tensor([4.0, 9.0], dtype=torch.float64)
    return lambda params: frozen(kind(params, lr=LR, betas=(0.8, 1 - 1e-7), eps=0.5, **options), squares)


def rmsprop(**options: Any) -> Make:
    squares = torch.tensor([4.0, 9.0], dtype=torch.float64)
    return lambda params: frozen(torch.optim.RMSprop(params, lr=LR, alpha=1 - 1e-12, eps=0.5, **options), squares)


@pytest.mark.parametrize("make", [
    sgd(), sgd(momentum=0.9), sgd(momentum=0.6, nesterov=True), sgd(weight_decay=3.0),
    adam(), adam(weight_decay=2.0), adam(torch.optim.AdamW, weight_decay=0.5), rmsprop(), rmsprop(momentum=0.5),
])  # fmt: skip
@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_an_optimizer_diverges_just_above_its_threshold_and_not_below(make: Make, factor: float) -> None:
    """On a quadratic that is scaled to lie there; torch's own optimizer says whether it grows."""
    matrix = torch.tensor([[3.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
    point = Point(torch.tensor([1e-40, -2e-40], dtype=torch.float64))
    optimizer = make([point.theta])

    def edge(scale: float) -> Edge:
        local = model_curvature(point, lambda x: scale * (point.theta @ matrix @ point.theta) / 2, [0])
        return preconditioned_sharpness(local, point, optimizer)

    low, high = 0.0, 1e4
    for _ in range(60):  # the sharpness grows with the scale, but not in proportion where weight decay adds to it
        middle = (low + high) / 2
        low, high = (middle, high) if edge(middle).ratio < factor else (low, middle)
    sizes = []
    for _ in range(400):
        optimizer.zero_grad()
        (high * (point.theta @ matrix @ point.theta) / 2).backward()
        optimizer.step()
        sizes.append(float(point.theta.detach().norm()))
    late, later = max(sizes[150:250]), max(sizes[300:400])
    assert (later > late) == (factor > 1)


def test_groups_of_different_rates() -> None:
    """Two parameters, the sharper with a tenth of the rate: what counts is rate times curvature."""
    point, other = Point(torch.ones(1)), Point(torch.ones(1))
    model = nn.ModuleList([point, other])
    optimizer = torch.optim.SGD([{"params": [point.theta], "lr": 0.1}, {"params": [other.theta], "lr": 0.01}])
    local = model_curvature(model, lambda x: 5 * point.theta.square().sum() + 15 * other.theta.square().sum(), [0])
    edge = preconditioned_sharpness(local, model, optimizer)
    assert edge.threshold == pytest.approx(20.0)
    assert edge.sharpness.value == pytest.approx(10.0)
    optimizer.param_groups[0]["lr"] = 0.0  # what stands still cannot oscillate
    still = preconditioned_sharpness(local, model, optimizer)
    assert (still.sharpness.value, still.threshold) == pytest.approx((30.0, 200.0))


def test_adams_sharpness_is_that_of_the_dense_hessian() -> None:
    model, (x, y) = small(), points()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(5):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    local = model_curvature(model, lambda pair: nn.functional.cross_entropy(model(pair[0]), pair[1]), [(x, y)])
    edge = preconditioned_sharpness(local, model, optimizer)
    moments = torch.cat([optimizer.state[p]["exp_avg_sq"].reshape(-1) for p in model.parameters()])
    scale = ((moments / (1 - 0.999**5)).sqrt() + 1e-8).rsqrt()
    wanted = torch.linalg.eigvalsh(scale[:, None] * dense(model, x, y) * scale)[-1]
    assert edge.sharpness.value == pytest.approx(float(wanted), rel=1e-6)
    assert edge.threshold == pytest.approx(2 * 1.9 / (0.1 * 0.01))
    assert preconditioned_sharpness(local, model, optimizer, edge).sharpness.value == pytest.approx(
        float(wanted), rel=1e-6
    )


def test_amsgrad_and_centered_divide_by_what_they_keep() -> None:
    point = Point(torch.tensor([1.0, 2.0]))
    for optimizer in (
        torch.optim.Adam([point.theta], amsgrad=True, betas=(0.5, 0.5)),
        torch.optim.RMSprop([point.theta], alpha=0.5, centered=True),
    ):
        for factor in (4.0, 1.0):  # the largest square lies in the past, and the mean is not 0
            optimizer.zero_grad()
            (factor * point.theta.square().sum()).backward()
            before = point.theta.detach().clone()
            optimizer.step()
        state = optimizer.state[point.theta]
        found = rule_now(optimizer, point, torch.zeros(1, 2)).preconditioner
        moved = (point.theta.detach() - before) / optimizer.param_groups[0]["lr"]
        assert found is not None and point.theta.grad is not None
        along = state["exp_avg"] / (1 - 0.5**2) if "exp_avg" in state else point.theta.grad
        torch.testing.assert_close(found[0], -along / moved, rtol=1e-4, atol=0)


@pytest.mark.parametrize(("make", "message"), [
    (torch.optim.NAdam, "optimizer=NAdam: no formula for its threshold is known; known: SGD, RMSprop, Adam, AdamW"),
    (torch.optim.Adam, "has made no step yet"),
    (lambda params: torch.optim.SGD(params, lr=0.0), "every learning rate is 0"),
    (lambda params: torch.optim.SGD(params, momentum=0.5, dampening=0.1), "dampening=0.1"),
    (lambda params: torch.optim.SGD(params, maximize=True), "maximize=True"),
    (lambda params: torch.optim.SGD([{"params": params}, {"params": [nn.Parameter(torch.ones(1))], "momentum": 0.5}]),
     r"groups differ in momentum, \[0, 0.5\]"),
])  # fmt: skip
def test_where_no_formula_holds_it_says_so(make: Any, message: str) -> None:
    point = Point(torch.ones(2))
    local = model_curvature(point, lambda x: point.theta.square().sum(), [0])
    with pytest.raises(SettingError, match=message):
        preconditioned_sharpness(local, point, make([point.theta]))
