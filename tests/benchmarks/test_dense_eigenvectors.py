"""The six top eigenvectors of a Hessian by `syevr`, beside all of them by `torch.linalg.eigh`, on one thread."""

from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from spikecheck.curvature.dense_eigenvectors import top_eigenvectors

WAYS: dict[str, Callable[[Tensor], object]] = {
    "syevr": lambda matrix: top_eigenvectors(matrix, 6),
    "torch": torch.linalg.eigh,
}


@pytest.mark.benchmark(group="eigenvectors of one dense Hessian")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [61, 151, 301, 901])
def test_eigenvectors(benchmark: BenchmarkFixture, size: int, way: str) -> None:
    torch.set_num_threads(1)
    factors = torch.randn(size, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    benchmark(WAYS[way], factors @ factors.T / size)
