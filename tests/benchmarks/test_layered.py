"""A step on real data: the written-out gradient against autograd's, and torch's Adam one instance a member or one for all."""

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from spikecheck.core.setting import Setting
from spikecheck.objective.objective import build_objective
from spikecheck.optimizers import torch_optimizer as named
from spikecheck.optimizers.instances import PerMember
from spikecheck.training.loop import begin, train
from spikecheck.training.rule_for import rule_for

MEMBERS, STEPS = 32, 200
SETTING = Setting(problem="mnist1d", points=50, width=20, optimizer="torch.optim:Adam", lr=0.02, steps=STEPS)


@pytest.mark.benchmark(group="gradient, mnist1d, 50 points, width 20, 32 members")
@pytest.mark.parametrize("way", ["written out", "autograd"])
def test_a_gradient(benchmark: BenchmarkFixture, way: str) -> None:
    torch.set_num_threads(1)
    goal = build_objective([SETTING] * MEMBERS)
    params = goal.initial(range(MEMBERS))

    def by_autograd() -> None:
        leaf = params.detach().requires_grad_()
        torch.autograd.grad(goal.losses(leaf).sum(), leaf)

    benchmark(by_autograd if way == "autograd" else lambda: goal.gradient(params))


@pytest.mark.benchmark(group="Adam, 200 steps of 32 members")
@pytest.mark.parametrize("way", ["spikecheck's", "torch's, one for all", "torch's, one a member"])
def test_adam(benchmark: BenchmarkFixture, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    setting = SETTING.but(optimizer="adam") if way == "spikecheck's" else SETTING
    if way.endswith("a member"):
        monkeypatch.setattr(named, "Together", PerMember)
    goal = build_objective([setting] * MEMBERS)
    rule = rule_for(goal)
    start = begin(goal, rule, goal.initial(range(MEMBERS)), torch.full((MEMBERS,), 0.02, dtype=torch.float64))
    until = torch.full((MEMBERS,), STEPS)
    benchmark.pedantic(train, args=(goal, rule, start, until, lambda made: None), rounds=3, warmup_rounds=1)
