"""Losses as they are given: numbers, or tensors that may still be computed on an accelerator."""

import math
from typing import Any

from torch import Tensor


def waits(loss: Tensor | float) -> bool:
    """Whether reading the loss would wait for an accelerator."""
    return isinstance(loss, Tensor) and loss.device.type != "cpu"


def number(loss: Tensor | float) -> float:
    """Waits for the device."""
    return float(loss.detach() if isinstance(loss, Tensor) else loss)


def loss_figures(loss: float) -> dict[str, Any]:
    """The fields of a logged step: the loss, or what it is where it is no number."""
    if math.isfinite(loss):
        return {"loss": loss}
    return {"not_finite": "nan" if math.isnan(loss) else "inf" if loss > 0 else "-inf"}
