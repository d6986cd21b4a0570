"""What a training step costs with an optimizer, against the same training with plain SGD: time and memory."""

import gc
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from spikecheck.gate.cost import bytes_held
from spikecheck.watch.training import Training
from spikecheck.watch.workload import MakeOptimizer, OptimizerChoice

BLOCKS = 24
"""Blocks of steps that are timed, each right after one with plain SGD."""
A_BLOCK = 0.05
"""Seconds a block, at least: less is lost in the clock's and the scheduler's noise."""
_STEPS = 20
"""Steps before memory is counted: enough for what an optimizer makes late, and for a leak of a number a parameter and step."""

Make = Callable[[MakeOptimizer], Training]
PLAIN = OptimizerChoice.of("gd", {"lr": 1e-9}).make()


def step_ratios(make: Make, optimizer: MakeOptimizer, pace: float, done: Callable[[float], None]) -> Iterator[float]:
    """log2 of the time of a whole training step over one with plain SGD, block by block.

    `pace` is the expected time of a step in seconds; `done` receives the expected time of each finished block.
    """
    own, other = make(optimizer), make(PLAIN)
    own.run(2)
    other.run(2)
    steps = max(1, round(A_BLOCK / max(pace, 1e-9)))
    for _ in range(BLOCKS):
        yield float(np.log2(timed(own, steps) / timed(other, steps)))
        done(2 * steps * pace)


def timed(training: Training, steps: int) -> float:
    """Seconds of so many steps."""
    began = time.perf_counter()
    training.run(steps)
    return time.perf_counter() - began


def memory(make: Make, optimizer: MakeOptimizer) -> float | None:
    """Numbers for each parameter that the process holds after 20 steps and would not with plain SGD.

    None where the training's state holds no module, whose parameters could be counted.
    """
    first = make(optimizer)
    first.run(1)  # what is made once, such as a data set, is there from now on
    size = _parameter_bytes(first)
    del first
    if not size:
        return None
    plain, own = (_added(make, each) for each in (PLAIN, optimizer))
    return (own - plain) / size


def _added(make: Make, optimizer: MakeOptimizer) -> int:
    """Bytes that a training adds to the process's tensors."""
    before = bytes_held()
    training = make(optimizer)
    training.run(_STEPS)
    added = bytes_held() - before
    del training
    gc.collect()
    return added


def _parameter_bytes(training: Training) -> int:
    modules = [part for part in training.state.values() if isinstance(part, torch.nn.Module)]
    parameters = {id(parameter): parameter for module in modules for parameter in module.parameters()}
    return sum(parameter.nbytes for parameter in parameters.values())
