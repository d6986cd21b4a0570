"""A fully connected network with dropout on scikit-learn's digits, or on MNIST-1D (arXiv 2011.14439), under Adam."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from spikecheck.core.errors import UnknownName
from spikecheck.core.import_path import BUILT_IN, made
from spikecheck.core.setting import Setting
from spikecheck.data.dataset import checked
from spikecheck.watch.training import Training

from .parts import MakeOptimizer, count, of_size

SIZES = {"tiny": 70, "small": 280, "medium": 960, "large": 3_125, "huge": 9_960}
"""Neurons of each of the two hidden layers."""
_DATA = ("digits", "mnist1d")
_POINTS = 4_000
"""MNIST-1D's training signals; the digits have fewer images."""


def mlp(
    make_optimizer: MakeOptimizer | None,
    seed: int,
    device: str,
    *,
    size: str = "tiny",
    batch: int = 32,
    dropout: float = 0.1,
    data: str = "digits",
) -> Training:
    """Two hidden layers of ReLU neurons; loss in nats a point, chance is ln 10.

    Args:
        make_optimizer: called with the named parameters; None for Adam at its default rate.
        seed: of the initial weights, the order of the points and dropout.
        device: such as "cpu" or "cuda".
        size: "tiny" (1e4 parameters), "small" (1e5), "medium" (1e6), "large" (1e7) or "huge" (1e8).
        batch: points a step.
        dropout: share of hidden neurons set to zero.
        data: "digits" or "mnist1d".
    """
    torch.manual_seed(seed)
    if data not in _DATA:
        raise UnknownName("data of the workload mlp", data, _DATA)
    found = checked(made("problem", BUILT_IN["problem"][data], Setting(problem=data, points=_POINTS)), data)
    width = of_size(size, SIZES)
    model = nn.Sequential(
        *(nn.Linear(found.x.shape[1], width), nn.ReLU(), nn.Dropout(dropout)),
        *(nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout)),
        nn.Linear(width, 10),
    ).to(device)
    optimizer = (make_optimizer or torch.optim.Adam)(model.named_parameters())

    def loss_of(pair: list[Tensor]) -> Tensor:
        return functional.cross_entropy(model(pair[0].to(device)), pair[1].to(device))

    def step(pair: list[Tensor]) -> Tensor:
        loss = loss_of(pair)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    order = torch.Generator().manual_seed(seed)
    points = TensorDataset(found.x.float(), found.y)
    return Training(
        step=step,
        batches=DataLoader(points, batch_size=batch, shuffle=True, generator=order),
        state={"model": model, "optimizer": optimizer},
        loss=loss_of,
        about={"parameters": count(model), "points": len(points), "samples a step": batch},
    )
