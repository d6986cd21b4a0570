"""Ensemble training against what one would otherwise write, and against the floor; `nox -s bench` runs this.

256 members, width 50, 40 points, float64. Compare the members-steps per second that each benchmark reports as extra info.
"""

import math
from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.dynamics.train import begin, train
from spikecheck.dynamics.updates import rule_of
from spikecheck.lab.execution import Processes
from spikecheck.lab.laboratory import Laboratory
from spikecheck.problems.objective import objective

MEMBERS, STEPS = 256, 400
SETTING = Setting(target="sin x + sin 3x", points=40, interval=1.0, width=50, steps=STEPS, lr=0.02)


def _reported(benchmark: BenchmarkFixture, run: Callable[[], object], member_steps: int) -> None:
    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    assert benchmark.stats is not None
    benchmark.extra_info["member_steps_per_second"] = round(member_steps / benchmark.stats.stats.median)


@pytest.mark.benchmark(group="training")
def test_a_loop_of_modules_and_torch_optim(benchmark: BenchmarkFixture) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x = torch.linspace(-math.pi, math.pi, 40, dtype=torch.float64)[:, None]
    y = torch.sin(x) + torch.sin(3 * x)
    hidden, out = torch.nn.Linear(1, 50, dtype=torch.float64), torch.nn.Linear(50, 1, bias=False, dtype=torch.float64)
    model = torch.nn.Sequential(hidden, torch.nn.Tanh(), out)
    sgd = torch.optim.SGD(model.parameters(), lr=0.02)
    loss_of = torch.nn.MSELoss()

    def loop() -> None:
        for _ in range(STEPS):
            sgd.zero_grad()
            loss = loss_of(model(x), y)
            loss.backward()
            sgd.step()

    _reported(benchmark, loop, STEPS)


@pytest.mark.benchmark(group="training")
@pytest.mark.parametrize("threads", [1, 2])
def test_one_ensemble(benchmark: BenchmarkFixture, threads: int) -> None:
    torch.set_num_threads(threads)
    goal, rule = objective([SETTING] * MEMBERS), rule_of(SETTING)
    start = begin(goal, rule, goal.initial(list(range(MEMBERS))), torch.full((MEMBERS,), 0.02, dtype=torch.float64))
    until = torch.full((MEMBERS,), STEPS)
    _reported(benchmark, lambda: train(goal, rule, start, until, lambda steps: None), MEMBERS * STEPS)
    torch.set_num_threads(1)


@pytest.mark.benchmark(group="training")
def test_the_laboratory_with_its_workers(benchmark: BenchmarkFixture) -> None:
    """Everything included: digests, checkpoints, runs, the way between processes; not the workers' start."""
    executor = Processes()
    seeds = iter(range(10**9))
    setting = SETTING.but(steps=10 * STEPS)

    def verify() -> None:
        lab = Laboratory(executor=executor)
        lab.runs([Recipe(setting=setting, seed=next(seeds)) for _ in range(MEMBERS)])

    _reported(benchmark, verify, MEMBERS * 10 * STEPS)
    executor.close()


@pytest.mark.benchmark(group="training")
@pytest.mark.parametrize("function", [torch.tanh, torch.sigmoid], ids=["tanh", "sigmoid"])
def test_the_floor_the_activation_alone(
    benchmark: BenchmarkFixture, function: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    torch.set_num_threads(1)
    activations = torch.randn(MEMBERS, 40, 50, dtype=torch.float64)

    def floor() -> None:
        for _ in range(STEPS):
            function(activations)

    _reported(benchmark, floor, MEMBERS * STEPS)
