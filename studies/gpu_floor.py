"""A lower bound on the time of a training step at setting A: its 400 tanh alone, computed in registers."""

import time

import torch
import triton
import triton.language as tl

from spikecheck.kernels.shallow import tanh

NEURONS, POINTS = 20, 20


@triton.jit
def _repeated(numbers, times, SIZE: tl.constexpr):
    at = tl.program_id(0) * SIZE + tl.arange(0, SIZE)
    value = tl.load(numbers + at)
    for _ in range(times):
        value = tanh(value + 0.5)
    tl.store(numbers + at, value)


def tanh_alone(lanes: int = 2**19, times: int = 2_000) -> float:
    """Steps per second if a step consisted of its tanh in float64 alone."""
    numbers = torch.randn(lanes, dtype=torch.float64, device="cuda")

    def seconds() -> float:
        torch.cuda.synchronize()
        started = time.perf_counter()
        _repeated[(lanes // 128,)](numbers, times, SIZE=128, num_warps=1)
        torch.cuda.synchronize()
        return time.perf_counter() - started

    seconds()
    return lanes * times / min(seconds() for _ in range(3)) / (NEURONS * POINTS)
