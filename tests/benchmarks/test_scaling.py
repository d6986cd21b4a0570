"""How time grows with members, width, points, steps and settings; and what a user's own module gains from being compiled."""

import sys
from pathlib import Path

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from spikecheck.core.recipe import Recipe
from spikecheck.core.setting import Setting
from spikecheck.lab.execution.processes import Processes
from spikecheck.lab.laboratory import Laboratory
from spikecheck.objective.compiles import MODULE_FROM
from spikecheck.objective.compiles import SHALLOW_FROM as LONG
from spikecheck.objective.objective import build_objective
from spikecheck.optimizers.rules import rule_of
from spikecheck.training.loop import begin, train

STEPS = 200
SETTING = Setting(target="sin x + sin 3x", points=40, interval=1.0, width=50, steps=LONG, lr=0.02)

MODULE = """
import torch

def layers(setting):
    width = setting.width
    return torch.nn.Sequential(
        torch.nn.Linear(1, width), torch.nn.Tanh(), torch.nn.Linear(width, width), torch.nn.Tanh(), torch.nn.Linear(width, 1)
    )
"""


def _timed(benchmark: BenchmarkFixture, setting: Setting, members: int) -> None:
    torch.set_num_threads(1)
    goal, rule = build_objective([setting] * members), rule_of(setting)
    lr = torch.full((members,), setting.lr, dtype=torch.float64)
    start = begin(goal, rule, goal.initial(range(members)), lr)
    until = torch.full((members,), STEPS)
    benchmark.pedantic(lambda: train(goal, rule, start, until, lambda made: None), rounds=3, warmup_rounds=1)
    assert benchmark.stats is not None
    benchmark.extra_info["member_steps_per_second"] = round(members * STEPS / benchmark.stats.stats.median)


@pytest.mark.benchmark(group="scaling with members (width 50, 40 points, one thread)")
@pytest.mark.parametrize("members", [1, 8, 32, 64, 256, 1024])
def test_members(benchmark: BenchmarkFixture, members: int) -> None:
    _timed(benchmark, SETTING, members)


@pytest.mark.benchmark(group="scaling with width (32 members, 40 points, one thread)")
@pytest.mark.parametrize("width", [5, 20, 50, 200, 1000])
def test_width(benchmark: BenchmarkFixture, width: int) -> None:
    _timed(benchmark, SETTING.but(width=width, lr=1 / width), 32)


@pytest.mark.benchmark(group="scaling with activations (32 members, width 50, 40 points, one thread)")
@pytest.mark.parametrize("activation", ["tanh", "xtanh", "gelu", "relu"])
def test_activation(benchmark: BenchmarkFixture, activation: str) -> None:
    _timed(benchmark, SETTING.but(activation=activation), 32)


@pytest.mark.benchmark(group="scaling with settings and steps (32 seeds each, two workers)")
@pytest.mark.parametrize(("settings", "steps"), [(1, 4_000), (4, 4_000), (16, 4_000), (4, 16_000)])
def test_settings_and_steps(benchmark: BenchmarkFixture, settings: int, steps: int) -> None:
    executor = Processes()
    asked = [SETTING.but(lr=0.02 / (1 + place), steps=steps) for place in range(settings)]
    recipes = [Recipe(setting=setting, seed=seed) for setting in asked for seed in range(32)]
    benchmark.pedantic(lambda: Laboratory(executor=executor).runs(recipes), rounds=2, warmup_rounds=1)
    executor.close()
    assert benchmark.stats is not None
    benchmark.extra_info["member_steps_per_second"] = round(len(recipes) * steps / benchmark.stats.stats.median)


@pytest.mark.benchmark(group="a user's own module of three layers (32 members, width 20, 40 points, one thread)")
@pytest.mark.parametrize("way", ["as it is", "compiled"])
def test_a_module_of_ones_own(
    benchmark: BenchmarkFixture, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "modules_of_ones_own.py").write_text(MODULE)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    steps = MODULE_FROM if way == "compiled" else MODULE_FROM - 1
    _timed(benchmark, SETTING.but(model="modules_of_ones_own:layers", width=20, steps=steps), 32)
