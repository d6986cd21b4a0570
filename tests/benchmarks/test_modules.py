"""A step of a user's own module: torch's loop, this package's way of member by member, and batches of eight by `vmap`."""

import sys
from pathlib import Path

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn

from spikecheck.core.import_path import made
from spikecheck.core.setting import Setting
from spikecheck.objective.objective import Objective, build_objective

STEPS, BATCHED, LR = 20, 8, 0.01
MODULES = """
import torch
from torch import nn
from torch.nn import functional


def perceptron(setting):
    return nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def convolutional(setting):
    return nn.Sequential(
        nn.Unflatten(1, (1, 40)), nn.Conv1d(1, 16, 5, padding=2), nn.ReLU(), nn.Conv1d(16, 32, 5, padding=2), nn.ReLU(),
        nn.MaxPool1d(2), nn.Flatten(), nn.Linear(640, 10),
    )


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked, self.given = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        size = (*x.shape[:2], self.heads, -1)
        parts = [part.reshape(size).transpose(1, 2) for part in self.asked(self.before(x)).chunk(3, -1)]
        seen = functional.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.given(seen.transpose(1, 2).reshape(x.shape))
        return x + self.down(functional.gelu(self.up(self.after(x))))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 32), nn.Linear(32, 10)
        self.blocks = nn.Sequential(Block(32, 4), Block(32, 4))

    def forward(self, x):
        return self.last(self.blocks(self.first(x.reshape(-1, 10, 4))).mean(1))


def gpt(setting):
    return GPT()
"""


@pytest.mark.benchmark(group="steps of a user's own module (mnist1d, float64, one thread)")
@pytest.mark.parametrize("points", [32, 100])
@pytest.mark.parametrize("name", ["perceptron", "convolutional", "gpt"])
@pytest.mark.parametrize("way", ["torch's loop", "member by member", "batches of 8"])
def test_a_step(
    benchmark: BenchmarkFixture, way: str, name: str, points: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    (tmp_path / "modules_to_time.py").write_text(MODULES)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "modules_to_time", raising=False)
    setting = Setting(
        problem="mnist1d", points=points, loss="cross-entropy", model=f"modules_to_time:{name}", lr=LR, steps=100
    )
    members = BATCHED if way == "batches of 8" else 1
    goal = build_objective([setting] * members)
    if way == "torch's loop":
        module = made("model", setting.model, setting).double()
        benchmark.pedantic(_ordinary, (module, goal.train.x[0], goal.train.y[0]), rounds=5, warmup_rounds=1)
    else:
        start = goal.initial(range(members))
        benchmark.pedantic(_ours, (goal, start), rounds=5, warmup_rounds=1)
    assert benchmark.stats is not None
    benchmark.extra_info["member_steps_per_second"] = round(members * STEPS / benchmark.stats.stats.median)


def _ordinary(module: nn.Module, x: Tensor, y: Tensor) -> None:
    optimizer = torch.optim.SGD(module.parameters(), lr=LR)
    for _ in range(STEPS):
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(x), y).backward()
        optimizer.step()


def _ours(goal: Objective, params: Tensor) -> None:
    for _ in range(STEPS):
        _, gradients = goal.gradient(params)
        params = params - LR * gradients
