"""A verdict against the script that a researcher would write for it: a loop over seeds, torch.nn, torch.optim.

Of the script only what finds a spike and what is measured are spikecheck's own, so that both answer the same question.
"""

import copy
import math
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.stats import binomtest
from torch import nn

from spikecheck.core.run import Array
from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.discover import discover
from spikecheck.harness.plan import fresh_seeds
from spikecheck.harness.verify import replay
from spikecheck.lab.execution.processes import Processes
from spikecheck.lab.laboratory import Laboratory
from spikecheck.measures import alignment
from spikecheck.measures.spikes import spikes

CLAIMS = Path(__file__).parents[2] / "claims"
WIDTH, RATE, STEPS, HORIZON, LEAD = 20, 0.1, 3_000, 3_000, SpikeDefinition().lead
KEPT_EVERY = 50


def share_of_seeds(seeds: Iterable[int]) -> tuple[int, int, float, float]:
    """Seeds in which the spiking run ends better aligned than its calm twin; seeds that spike; their share's interval."""
    gains = [gain for seed in seeds if (gain := _gain(seed)) is not None]
    held = sum(gain > 0 for gain in gains)
    if not gains:
        return 0, 0, 0.0, 1.0
    interval = binomtest(held, len(gains)).proportion_ci(0.95)
    return held, len(gains), float(interval.low), float(interval.high)


def _gain(seed: int) -> float | None:
    model = _model(seed)
    kept = []
    losses = []
    for step in range(STEPS):
        if step % KEPT_EVERY == 0:
            kept.append(copy.deepcopy(model.state_dict()))
        losses += _train(model, 1, RATE)
    found = spikes(torch.tensor(losses).numpy(), SpikeDefinition())
    if not found or found[0].onset < LEAD:
        return None
    parting = found[0].onset - LEAD
    model.load_state_dict(kept[parting // KEPT_EVERY])
    _train(model, parting % KEPT_EVERY, RATE)
    spiking, calm = copy.deepcopy(model), model
    _train(spiking, HORIZON, RATE)
    _train(calm, 4 * HORIZON, RATE / 4)
    return alignment(_input_weights(spiking)) - alignment(_input_weights(calm))


def _model(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1, bias=False)).double()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=WIDTH**-0.5)
    return model


def _train(model: nn.Module, steps: int, rate: float) -> list[float]:
    x = torch.linspace(-2 * math.pi, 2 * math.pi, 20, dtype=torch.float64)[:, None]
    y = torch.sin(x)
    sgd = torch.optim.SGD(model.parameters(), lr=rate)
    losses = []
    for _ in range(steps):
        sgd.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    return losses


def _input_weights(model: nn.Sequential) -> Array:
    first = model[0]
    assert isinstance(first, nn.Linear)
    return torch.cat([first.weight, first.bias[:, None]], 1).detach().numpy()


@pytest.mark.benchmark(group="the verdict of condensation at its reference setting")
def test_a_straightforward_script(benchmark: BenchmarkFixture) -> None:
    """Four seeds in a loop; its time is proportional to their number."""
    torch.set_num_threads(1)
    held, applicable, *_ = benchmark.pedantic(share_of_seeds, args=(range(4),), rounds=1)
    assert 0 <= held <= applicable <= 4
    _per_seed(benchmark, 4)


@pytest.mark.benchmark(group="the verdict of condensation at its reference setting")
def test_spikecheck(benchmark: BenchmarkFixture) -> None:
    """64 seeds with two workers, their start and every compilation included."""
    claim = discover([CLAIMS]).claims["condensation"]
    reference = claim.domain.reference

    def verdict() -> None:
        lab = Laboratory(executor=Processes())
        replay(claim, lab, reference, fresh_seeds(0, reference, 64))
        lab.close()

    benchmark.pedantic(verdict, rounds=1)
    _per_seed(benchmark, 64)


def _per_seed(benchmark: BenchmarkFixture, seeds: int) -> None:
    assert benchmark.stats is not None
    benchmark.extra_info["seconds_a_seed"] = round(benchmark.stats.stats.median / seeds, 4)
