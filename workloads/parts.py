"""What several workloads need: their sizes, and a schedule."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import torch
from torch import Tensor

from spikecheck.core.errors import UnknownName

MakeOptimizer = Callable[[Iterable[tuple[str, Tensor]]], torch.optim.Optimizer]
"""Makes an optimizer for a model's parameters and their names."""

PARAMETERS: Mapping[str, float] = {"tiny": 1e4, "small": 1e5, "medium": 1e6, "large": 1e7, "huge": 1e8}
"""What the sizes mean in parameters, to within a third: from seconds on a CPU to what wants a GPU."""

S = TypeVar("S")


def of_size(size: str, table: Mapping[str, S]) -> S:
    """The table's entry for a size; raises UnknownName where there is none."""
    if size not in table:
        raise UnknownName("size of a workload", size, table)
    return table[size]


def count(model: torch.nn.Module) -> int:
    """Parameters of a model."""
    return sum(parameter.numel() for parameter in model.parameters())


def warmup_cosine(optimizer: torch.optim.Optimizer, warmup: int, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """The rate rises linearly over `warmup` steps, then falls along half a cosine to a tenth of its peak at `steps`."""

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return 0.1 + 0.9 * (1 + math.cos(math.pi * done)) / 2

    return torch.optim.lr_scheduler.LambdaLR(optimizer, share)
