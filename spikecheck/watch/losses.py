"""Losses as the user passes them: numbers, or tensors that an accelerator may still be computing."""

import math
from typing import Any

from torch import Tensor

from spikecheck.core.errors import UsageError


def waits(loss: Tensor | float) -> bool:
    """Whether reading the loss would wait for an accelerator."""
    return isinstance(loss, Tensor) and loss.device.type != "cpu"


def kept(loss: Tensor | float) -> Tensor | float:
    """What is left of the loss until it is read: a number, or a tensor that nothing else writes to.

    Raises:
        UsageError: it is read at once, and is not one real number.
    """
    return loss.detach().clone() if isinstance(loss, Tensor) and waits(loss) else number(loss)


def number(loss: Tensor | float) -> float:
    """The loss as a number; waits for the device.

    Raises:
        UsageError: it is not one real number.
    """
    try:
        return float(loss.detach() if isinstance(loss, Tensor) else loss)
    except (TypeError, ValueError, RuntimeError):
        what = (
            f"tensor of shape {tuple(loss.shape)} and {loss.dtype}" if isinstance(loss, Tensor) else type(loss).__name__
        )
        raise UsageError(f"watch.step was given a {what}; give the loss, one number") from None


def loss_figures(loss: float) -> dict[str, Any]:
    """Fields of a logged step: `loss`, or `not_finite` ("nan", "inf" or "-inf")."""
    if math.isfinite(loss):
        return {"loss": loss}
    return {"not_finite": "nan" if math.isnan(loss) else "inf" if loss > 0 else "-inf"}
