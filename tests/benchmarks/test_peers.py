"""Sharpness of one model at one accuracy: a step of tracking in an ensemble against what peers take for a model.

All in one run on the same models: setting B's network (width 50, 40 points, float64) on its way at the edge of stability, one
thread. Each peer is asked for the largest eigenvalue to a relative error of 1e-3 and checked against the dense Hessian; what
each takes per model and step stands in the extra info. `nox -s bench` installs the peers.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.sparse.linalg import LinearOperator, eigsh

from spikecheck.core.setting import Setting
from spikecheck.curvature.eigenpairs import exact
from spikecheck.curvature.hessian import curvature
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.training.loop import begin, train
from spikecheck.training.rule_for import rule_for
from spikecheck.training.with_sharpness import follow

MEMBERS, STEPS, WIDTH, POINTS, LR = 256, 2_000, 50, 40, 0.05
ACCURACY = 1e-3
SETTING = Setting(target="sin x + sin 3x", points=POINTS, interval=1.0, width=WIDTH, lr=LR)


@pytest.fixture
def there(compiled: None) -> tuple[Objective, torch.Tensor]:
    """An ensemble late enough to be at the edge, and its parameters."""
    torch.set_num_threads(1)
    goal = build_objective([SETTING] * MEMBERS)
    rule = rule_for(goal)
    start = begin(goal, rule, goal.initial(range(MEMBERS)), torch.full((MEMBERS,), LR, dtype=torch.float64))
    return goal, train(goal, rule, start, start.done + 2_000, lambda made: None).end.params


def module_of(goal: Objective, row: torch.Tensor) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """One member as a torch module, with its data."""
    hidden = torch.nn.Linear(1, WIDTH, dtype=torch.float64)
    out = torch.nn.Linear(WIDTH, 1, bias=False, dtype=torch.float64)
    weights, biases, outgoing = row.split(WIDTH)
    with torch.no_grad():
        hidden.weight.copy_(weights[:, None])
        hidden.bias.copy_(biases)
        out.weight.copy_(outgoing[None])
    x = goal.train.x[0]
    y = goal.train.y[0]
    assert y.is_floating_point()
    return torch.nn.Sequential(hidden, torch.nn.Tanh(), out), x, y


def told(benchmark: BenchmarkFixture, models: int, error: float) -> None:
    assert benchmark.stats is not None
    benchmark.extra_info["microseconds_a_model"] = round(1e6 * benchmark.stats.stats.median / models, 1)
    benchmark.extra_info["relative_error"] = f"{error:.1e}"


def error_of(found: float, goal: Objective, row: torch.Tensor) -> float:
    true = float(exact(curvature(goal.select([0]), row[None]), 1).values[0, 0])
    return abs(found - true) / abs(true)


@pytest.mark.benchmark(group="sharpness of a model")
def test_tracked_in_an_ensemble(benchmark: BenchmarkFixture, there: tuple[Objective, torch.Tensor]) -> None:
    """Training and all, compiled; each call begins with a dense Hessian of every member."""
    goal, params = there
    rule = rule_for(goal)
    start = begin(goal, rule, params, torch.full((MEMBERS,), LR, dtype=torch.float64))
    until = start.done + STEPS
    benchmark.pedantic(lambda: follow(goal, rule, start, until, lambda made: None), rounds=2, warmup_rounds=0)
    found = follow(goal, rule, start, until, lambda made: None)
    ends = train(goal, rule, start, until, lambda made: None).end.params
    true = exact(curvature(goal, ends), 1).values[:, 0]
    told(benchmark, MEMBERS * STEPS, float((found.sharpness[-1] - true).abs().div(true).max()))


Peer = Callable[[Objective, torch.Tensor], float]


def pyhessian(goal: Objective, row: torch.Tensor) -> float:
    from pyhessian import hessian

    model, x, y = module_of(goal, row)
    values, _ = hessian(model, torch.nn.MSELoss(), data=(x, y), cuda=False).eigenvalues(maxIter=200, tol=1e-4)
    return float(values[0])


def hessian_eigenthings(goal: Objective, row: torch.Tensor) -> float:
    from hessian_eigenthings import HessianOperator, lanczos

    model, x, y = module_of(goal, row)
    operator = HessianOperator(model, [(x, y)], lambda m, batch: torch.nn.functional.mse_loss(m(batch[0]), batch[1]))
    return float(lanczos(operator, k=1, which="LA", tol=ACCURACY).eigenvalues[0])


def curvlinops(goal: Objective, row: torch.Tensor) -> float:
    from curvlinops import HessianLinearOperator

    model, x, y = module_of(goal, row)
    operator = HessianLinearOperator(
        model, torch.nn.MSELoss(), list(model.parameters()), [(x, y)], check_deterministic=False
    )
    found = eigsh(operator.to_scipy(), k=1, which="LA", tol=ACCURACY, return_eigenvectors=False)
    return float(found[0])


def eigsh_warm(goal: Objective, row: torch.Tensor) -> float:
    """scipy's own, from the eigenvector of a step earlier: a researcher's quickest loop."""
    model, x, y = module_of(goal, row)
    parameters = list(model.parameters())
    slope = torch.autograd.grad(torch.nn.functional.mse_loss(model(x), y), parameters, create_graph=True)
    flat = torch.cat([part.reshape(-1) for part in slope])

    def product(vector: np.ndarray) -> np.ndarray:
        image = torch.autograd.grad(flat @ torch.from_numpy(vector.ravel()), parameters, retain_graph=True)
        return torch.cat([part.reshape(-1) for part in image]).numpy()

    size = len(row)
    start = (
        exact(curvature(goal.select([0]), row[None]), 1).vectors[0, 0].numpy() if size not in _STARTS else _STARTS[size]
    )
    _STARTS[size] = start
    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    return float(eigsh(operator, k=1, which="LA", tol=ACCURACY, v0=start, return_eigenvectors=False)[0])


_STARTS: dict[int, np.ndarray] = {}


@pytest.mark.benchmark(group="sharpness of a model")
@pytest.mark.parametrize(
    "peer", [pyhessian, hessian_eigenthings, curvlinops, eigsh_warm], ids=lambda peer: peer.__name__
)
def test_a_peer(benchmark: BenchmarkFixture, there: tuple[Objective, torch.Tensor], peer: Peer) -> None:
    goal, params = there
    found = benchmark.pedantic(lambda: peer(goal, params[0]), rounds=5, warmup_rounds=1)
    error = error_of(found, goal, params[0])
    assert math.isfinite(error)
    told(benchmark, 1, error)
