"""The network of these tests as a user of torch has it."""

import torch
from torch import nn

from spikecheck.core.setting import Setting
from spikecheck.models.mlp import MLP
from spikecheck.objective.objective import Objective
from tests.optimizers import ordinary_optimizers

STEPS = 60
HABITS = [
    "ReplacesData",
    "ZeroesGradients",
    "TakesGradients",
    "KeepsGradients",
    "SharpnessAware",
    "BackwardItself",
    "steps_its_schedule",
    "LateCoupling",
    "WithoutRate",
    "NoRate",
    "LateNoise",
    "DrawsFromPythonAndNumPy",
    "HiddenCounter",
    "IntegerStep",
    "ClipsInHooks",
    "StepsInBackward",
    "CountsInZeroGrad",
    "KeepsZeros",
    "FreezesLate",
    "TensorRate",
    "SplitsGroups",
    "AveragesLate",
    "SharedCount",
    "WantsItsClosureLate",
    "RestsWithoutClosure",
    "LooksAhead",
]
"""Optimizers of `ordinary_optimizers` and `hooked_optimizers`, each with a habit that torch's loop allows."""


def setting(name: str, options: tuple = (), **changes: object) -> Setting:  # type: ignore[type-arg]
    path = f"{'ordinary' if hasattr(ordinary_optimizers, name) else 'hooked'}_optimizers:{name}"
    return Setting(problem="mnist1d", points=20, width=6, optimizer=path, options=options, lr=0.05, steps=STEPS).but(
        **changes
    )


def sizes_of(there: Objective) -> tuple[int, ...]:
    assert isinstance(there.model, MLP)
    return there.model.sizes


class Net(nn.Module):
    """The same network as a user has it."""

    def __init__(self, flat: torch.Tensor, sizes: tuple[int, ...]) -> None:
        super().__init__()
        inputs, width, outputs = sizes
        self.first, self.second = (
            nn.Linear(inputs, width, dtype=flat.dtype),
            nn.Linear(width, outputs, bias=False, dtype=flat.dtype),
        )
        weight, bias, outgoing = flat.split([inputs * width, width, width * outputs])
        self.first.weight.data = weight.view(inputs, width).T.contiguous()
        self.first.bias.data = bias.clone()
        self.second.weight.data = outgoing.view(width, outputs).T.contiguous()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.second(torch.tanh(self.first(x)))
        return found

    def flat(self) -> torch.Tensor:
        parts = (self.first.weight.T, self.first.bias, self.second.weight.T)
        return torch.cat([part.detach().reshape(-1) for part in parts])
