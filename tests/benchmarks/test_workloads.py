"""A training under the harness beside the bare loop of the same training: time over time in one run, 1.05 at most.

The time is the process's own on the CPU, so that what else runs on the machine does not count. Waiting for the disk is not
in it: checkpoints take at most a thirtieth of the time by their own rule.

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

STEPS, ROUNDS = 300, 12
MOST = 1.05


def bare(seed: int) -> float:
    """CPU seconds of torch's own loop: the workload's step on its batches, nothing recorded."""
    training = gpt(None, seed, "cpu", size="tiny")
    batches = iter(training._batches._source)
    step = training._step
    began = time.process_time()
    for _ in range(STEPS):
        step(next(batches))
    return time.process_time() - began


def harnessed(seed: int, store: Store, save_every: float) -> float:
    """CPU seconds of the same with losses recorded, checkpoints, and a store; its making is in neither."""
    order = Order(Workload.of("gpt", {"size": "tiny"}), seed, STEPS)
    order.begin()
    began = time.process_time()
    train(order, store, save_every=save_every)
    whole = time.process_time() - began
    began = time.process_time()
    order.digest(order.begin().about)
    return whole - (time.process_time() - began)


@pytest.mark.benchmark(group="a workload")
def test_the_harness_over_the_bare_loop(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Round by round, now the one first, now the other; with a checkpoint a second."""
    torch.set_num_threads(1)
    store = Store(tmp_path)
    ratios: list[float] = []

    def both() -> None:
        seed = len(ratios)
        if seed % 2:
            one, other = bare(seed), harnessed(seed, store, save_every=1.0)
        else:
            other, one = harnessed(seed, store, save_every=1.0), bare(seed)
        ratios.append(other / one)

    benchmark.pedantic(both, rounds=ROUNDS, warmup_rounds=1)
    found = median(ratios[1:])
    benchmark.extra_info["ratio"] = round(found, 4)
    benchmark.extra_info["ratios"] = [round(ratio, 4) for ratio in ratios[1:]]
    assert found <= MOST, f"harness over bare loop: median {found:.3f} of {ratios[1:]}"
