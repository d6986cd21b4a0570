"""What a pass touches is put back, whatever it raises."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from spikecheck.watch.undisturbed import undisturbed


class Touching(nn.Module):
    """Changes all that a forward pass can."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("held", torch.zeros(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.eval()
        self.held = torch.ones(5)
        self.norm.get_buffer("running_mean").add_(1.0)
        self.norm.weight.grad = None
        random.random()
        np.random.rand()  # noqa: NPY002
        torch.rand(1)
        return x


@pytest.mark.parametrize("raises", [None, ValueError, KeyboardInterrupt])
def test_everything_is_as_it_was(raises: type[BaseException] | None) -> None:
    model = Touching()
    model.norm.weight.grad = gradient = torch.ones(3)
    held, mean = model.held, model.norm.running_mean
    states = (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index]  # noqa: NPY002
    try:
        with undisturbed(model, [torch.device("cpu")]):
            assert not torch.is_grad_enabled()
            model(torch.ones(2, 3))
            if raises is not None:
                raise raises
    except (ValueError, KeyboardInterrupt):
        assert raises is not None
    assert model.training and model.norm.training
    assert model.held is held and model.norm.running_mean is mean and float(mean.sum()) == 0.0  # type: ignore[union-attr]
    assert model.norm.weight.grad is gradient
    assert torch.equal(torch.get_rng_state(), states[0]) and random.getstate() == states[1]
    assert np.random.get_state()[1].tolist() == states[2]  # type: ignore[index]  # noqa: NPY002
    assert torch.is_grad_enabled()


def test_two_passes_read_the_same_buffers() -> None:
    """Regression: a loss that reads a buffer which the pass before had moved was part of the step's change."""
    model = nn.BatchNorm1d(3)
    with undisturbed(model, []) as put_back:
        model(torch.randn(8, 3))
        assert model.running_mean is not None and model.running_mean.abs().sum() > 0.0
        put_back()
        assert model.running_mean.abs().sum() == 0.0
