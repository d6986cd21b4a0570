"""One parameter tells by which factor all gradients were clipped."""

import math

import pytest
import torch
from torch import nn

from spikecheck.watch.witness import Witness, ratio


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))


def factor(witness: Witness) -> float | None:
    made, met = witness.read()
    return ratio(math.hypot(*made), math.hypot(*met))


@pytest.mark.parametrize("limit", [0.01, 0.1, 1e6])
@pytest.mark.parametrize("batches", [1, 3])
def test_the_factor_of_clipping_by_norm(limit: float, batches: int) -> None:
    model = net()
    witness = Witness(list(model.parameters()), lambda work: work)
    for _ in range(batches):
        torch.autograd.backward(model(torch.randn(8, 4)).square().mean())
    norm = float(nn.utils.clip_grad_norm_(model.parameters(), limit))
    witness.step()
    assert factor(witness) == pytest.approx(max(1.0, norm / limit), rel=1e-4)
    witness.remove()


def test_without_a_gradient_there_is_no_factor() -> None:
    model = net()
    witness = Witness(list(model.parameters()), lambda work: work)
    witness.step()
    assert factor(witness) is None
    torch.autograd.backward(0.0 * model(torch.randn(8, 4)).sum())
    witness.step()
    assert factor(witness) is None
    witness.remove()
    none = Witness([torch.ones(3)], lambda work: work)
    none.step()
    none.remove()
    assert factor(none) is None


def test_nothing_is_left_on_the_parameter() -> None:
    model = net()
    witness = Witness(list(model.parameters()), lambda work: work)
    hooked = [parameter for parameter in model.parameters() if parameter._post_accumulate_grad_hooks]
    assert len(hooked) == 1 and hooked[0].numel() == 16
    witness.remove()
    assert not any(parameter._post_accumulate_grad_hooks for parameter in model.parameters())


@pytest.mark.parametrize(
    ("passes", "emptied_before", "is_sum"),
    [(1, {0}, True), (3, {0}, True), (1, set(), False), (3, set(), False), (2, {0, 1}, False), (0, set(), False)],
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_whether_the_gradient_is_the_sum_of_what_the_passes_added(
    passes: int, emptied_before: set[int], is_sum: bool, dtype: torch.dtype
) -> None:
    model = net().to(dtype)
    torch.autograd.backward(model(torch.randn(8, 4, dtype=dtype)).square().mean())
    witness = Witness(list(model.parameters()), lambda work: work)
    for number in range(passes):
        if number in emptied_before:
            model.zero_grad()
        torch.autograd.backward(model(torch.randn(8, 4, dtype=dtype)).square().mean())
    witness.step()
    assert witness.is_sum is is_sum
    witness.remove()
