"""Losses as numbers, and what is logged of them."""

import math
from typing import Any

import pytest
import torch

from spikecheck.core.errors import UsageError
from spikecheck.watch.losses import kept, loss_figures, number, waits


@pytest.mark.parametrize(
    "loss", [2.5, torch.tensor(2.5), torch.tensor([2.5], requires_grad=True), torch.tensor(2.5).half()]
)
def test_any_loss_becomes_a_number(loss: torch.Tensor | float) -> None:
    assert number(loss) == 2.5
    assert not waits(loss)


def test_a_loss_on_another_device_has_to_be_waited_for() -> None:
    assert waits(torch.empty((), device="meta"))


def test_a_loss_that_is_there_is_read_at_once_and_another_is_copied() -> None:
    loss = torch.tensor(2.5)
    known, waiting = kept(loss), kept(torch.empty((), device="meta", requires_grad=True))
    loss.add_(1.0)
    assert known == 2.5
    assert isinstance(waiting, torch.Tensor) and not waiting.requires_grad


@pytest.mark.parametrize(("loss", "fields"), [
    (0.0, {"loss": 0.0}),
    (math.nan, {"not_finite": "nan"}),
    (math.inf, {"not_finite": "inf"}),
    (-math.inf, {"not_finite": "-inf"}),
])  # fmt: skip
def test_json_knows_no_infinity(loss: float, fields: dict[str, float | str]) -> None:
    assert loss_figures(loss) == fields


@pytest.mark.parametrize("loss", [None, (1.0, 2.0), {"loss": 1.0}, torch.ones(2), torch.tensor(1j)])
def test_what_is_no_loss_is_named(loss: Any) -> None:
    with pytest.raises(UsageError, match=r"^watch.step was given a .*; give the loss, one number$"):
        number(loss)
