"""Losses as numbers, and what is logged of them."""

import math

import pytest
import torch

from spikecheck.watch.losses import loss_figures, number, waits


@pytest.mark.parametrize(
    "loss", [2.5, torch.tensor(2.5), torch.tensor([2.5], requires_grad=True), torch.tensor(2.5).half()]
)
def test_any_loss_becomes_a_number(loss: torch.Tensor | float) -> None:
    assert number(loss) == 2.5
    assert not waits(loss)


def test_a_loss_on_another_device_has_to_be_waited_for() -> None:
    assert waits(torch.empty((), device="meta"))


@pytest.mark.parametrize(("loss", "fields"), [
    (0.0, {"loss": 0.0}),
    (math.nan, {"not_finite": "nan"}),
    (math.inf, {"not_finite": "inf"}),
    (-math.inf, {"not_finite": "-inf"}),
])  # fmt: skip
def test_json_knows_no_infinity(loss: float, fields: dict[str, float | str]) -> None:
    assert loss_figures(loss) == fields
