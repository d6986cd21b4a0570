"""A training under the harness beside the bare loop of the same training: time over time in one run, 1.05 at most.

pytest tests/benchmarks/test_workloads.py --benchmark-only -o addopts=--import-mode=importlib -s
"""

import time
from pathlib import Path
from statistics import median

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from spikecheck.lab.store import Store
from spikecheck.watch.runs import Order, train
from spikecheck.watch.workload import Workload
from workloads.gpt import gpt

STEPS, ROUNDS = 300, 9
MOST = 1.05


def bare(seed: int) -> float:
    """Seconds of torch's own loop: the workload's step on its batches, nothing recorded."""
    training = gpt(None, seed, "cpu", size="tiny")
    batches = iter(training._batches._source)
    step = training._step
    began = time.perf_counter()
    for _ in range(STEPS):
        step(next(batches))
    return time.perf_counter() - began


def harnessed(seed: int, store: Store, save_every: float) -> float:
    """Seconds of the same with losses recorded, checkpoints, and a store; its making is in neither."""
    order = Order(Workload.of("gpt", {"size": "tiny"}), seed, STEPS)
    order.begin()
    began = time.perf_counter()
    train(order, store, save_every=save_every)
    whole = time.perf_counter() - began
    began = time.perf_counter()
    order.digest(order.begin().about)
    return whole - (time.perf_counter() - began)


@pytest.mark.benchmark(group="a workload")
def test_the_harness_over_the_bare_loop(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Round by round one after the other, so that what else the machine does hits both; with a checkpoint a second."""
    torch.set_num_threads(1)
    store = Store(tmp_path)
    ratios: list[float] = []

    def both() -> None:
        seed = len(ratios)
        one, other = bare(seed), harnessed(seed, store, save_every=1.0)
        ratios.append(other / one)

    benchmark.pedantic(both, rounds=ROUNDS, warmup_rounds=1)
    found = median(ratios[1:])
    benchmark.extra_info["ratio"] = round(found, 4)
    benchmark.extra_info["ratios"] = [round(ratio, 4) for ratio in ratios[1:]]
    assert found <= MOST, f"harness over bare loop: median {found:.3f} of {ratios[1:]}"
