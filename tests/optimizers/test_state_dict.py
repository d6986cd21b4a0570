"""Optimizer states as numbers and back, bit for bit, against a copy of the optimizer."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch

from spikecheck.core.errors import SettingError
from spikecheck.optimizers.state_dict import count, load, packed

MAKERS: list[Callable[[list[torch.Tensor]], torch.optim.Optimizer]] = [
    lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True),
    lambda params: torch.optim.Adam(params, lr=0.01, amsgrad=True),
    lambda params: torch.optim.Adagrad(params, lr=0.1),
    lambda params: torch.optim.NAdam(params, lr=0.01),
]


def stepped(optimizer: torch.optim.Optimizer, params: list[torch.Tensor], steps: int) -> None:
    for step in range(steps):
        for number, param in enumerate(params):
            param.grad = torch.sin(param.detach() * (step + number + 1))
        optimizer.step()


@pytest.mark.parametrize("make", MAKERS)
def test_a_packed_state_goes_on_as_the_optimizer_would_have(make: Callable[[list[torch.Tensor]], Any]) -> None:
    params = [torch.linspace(-1, 1, 6, dtype=torch.float64).reshape(2, 3), torch.ones(3)]
    optimizer = make(params)
    stepped(optimizer, params, 3)
    template = copy.deepcopy(optimizer.state_dict())
    numbers = packed(optimizer, template)
    assert len(numbers) == count(template)

    others = [param.detach().clone() for param in params]
    other = make(others)
    load(other, template, numbers)
    for one, two in ((optimizer, params), (other, others)):
        stepped(one, two, 4)
    assert all(torch.equal(mine, own) for mine, own in zip(others, params, strict=True))


def test_a_state_of_another_structure_is_infinite_and_cannot_be_loaded() -> None:
    params = [torch.ones(3)]
    optimizer = torch.optim.Adam(params)
    stepped(optimizer, params, 1)
    template = copy.deepcopy(optimizer.state_dict())
    fresh = torch.optim.Adam(params)
    numbers = packed(fresh, template)
    assert torch.isinf(numbers).all()
    with pytest.raises(SettingError, match="Adam: its state_dict grows as it trains"):
        load(optimizer, template, numbers)
