"""A step of an autopsy, with the top two eigenpairs, against a plain step; `nox -s bench` runs this.

32 members at setting A, float64, one thread, from step 300 on. Compare the milliseconds a step in the extra info.
"""

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from spikecheck.core.setting import Setting
from spikecheck.objective.compiles import SHALLOW_FROM as LONG
from spikecheck.objective.objective import Objective, build_objective
from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import UpdateRule, rule_of
from spikecheck.training.dissection import dissect
from spikecheck.training.loop import begin, train

MEMBERS, STEPS = 32, 100
Start = tuple[Objective, UpdateRule, Ensemble]


@pytest.fixture(params=["compiled", "uncompiled"])
def start(request: pytest.FixtureRequest) -> Start:
    torch.set_num_threads(1)
    setting = Setting(steps=LONG if request.param == "compiled" else LONG - 1)
    goal, rule = build_objective([setting] * MEMBERS), rule_of(setting)
    lr = torch.full((MEMBERS,), setting.lr, dtype=torch.float64)
    first = begin(goal, rule, goal.initial(list(range(MEMBERS))), lr)
    return goal, rule, train(goal, rule, first, first.done + 300, lambda steps: None).end


def _reported(benchmark: BenchmarkFixture) -> None:
    assert benchmark.stats is not None
    benchmark.extra_info["milliseconds_a_step"] = round(1_000 * benchmark.stats.stats.median / STEPS, 3)


@pytest.mark.benchmark(group="autopsy")
def test_dissection(benchmark: BenchmarkFixture, start: Start) -> None:
    """Compiled by products, else by Hessians that are written out."""
    goal, rule, there = start
    benchmark.pedantic(
        lambda: dissect(goal, rule, there, there.done + STEPS, 2, lambda steps: None), rounds=5, warmup_rounds=1
    )
    _reported(benchmark)


@pytest.mark.benchmark(group="autopsy")
def test_plain_training(benchmark: BenchmarkFixture, start: Start) -> None:
    goal, rule, there = start
    benchmark.pedantic(
        lambda: train(goal, rule, there, there.done + STEPS, lambda steps: None), rounds=5, warmup_rounds=1
    )
    _reported(benchmark)
