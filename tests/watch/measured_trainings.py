"""Trainings that are measured on the way: a workload that ships, and one whose figures have closed forms."""

import torch

from spikecheck.watch.measured import MeasuredOrder, Wanted
from spikecheck.watch.training import Training
from spikecheck.watch.workload import OptimizerChoice, Workload

SGD = OptimizerChoice.of("gd", {"lr": 0.1})
EVERYTHING = Wanted(curvature=True, batches=4, looks=3)


def order(steps: int = 30, wanted: Wanted = EVERYTHING) -> MeasuredOrder:
    """The MLP on digits, with dropout."""
    return MeasuredOrder(Workload.of("mlp", {"batch": 256}), 3, steps, SGD, "cpu", wanted=wanted)


def quadratic(curvatures: list[float]) -> Training:
    """Batch i bends along coordinate i alone."""
    weight = torch.nn.ParameterList([torch.nn.Parameter(torch.ones(len(curvatures), dtype=torch.float64))])
    sgd = torch.optim.SGD(weight.parameters(), lr=0.1)

    def loss(pair: list[torch.Tensor]) -> torch.Tensor:
        number, curvature = pair
        return (curvature * weight[0][number].square() / 2).mean()

    def step(pair: list[torch.Tensor]) -> torch.Tensor:
        sgd.zero_grad()
        value = loss(pair)
        value.backward()
        sgd.step()
        return value

    batches = [[torch.tensor([n]), torch.tensor([c], dtype=torch.float64)] for n, c in enumerate(curvatures)]
    return Training(step=step, batches=batches, state={"model": weight, "optimizer": sgd}, loss=loss)
