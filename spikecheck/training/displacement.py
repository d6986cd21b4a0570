"""Displacements along one direction: until the loss has risen by a given factor, or to another training's coordinate."""

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.core.errors import SettingError
from spikecheck.curvature.hessian import Losses

_DOUBLINGS = 60
_HALVINGS = 60


def risen(
    objective: Losses, params: Float[Tensor, "B P"], direction: Float[Tensor, "B P"], rise: float
) -> Float[Tensor, "B P"]:
    """Move every member along `direction` (unit vectors) until its loss is `rise` times its present loss.

    The distance is doubled until the loss is reached, then bisected down to rounding. A ridge narrower than half the distance
    can be stepped over. Where the loss is not reached within 60 doublings, the parameters are NaN.
    """
    with torch.no_grad():
        wanted = rise * objective.losses(params)
        near = torch.zeros_like(wanted)
        far = torch.full_like(wanted, 1e-6)
        for _ in range(_DOUBLINGS):
            short = objective.losses(params + far[:, None] * direction) < wanted
            near, far = torch.where(short, far, near), torch.where(short, 2 * far, far)
        reached = objective.losses(params + far[:, None] * direction) >= wanted
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            short = objective.losses(params + middle[:, None] * direction) < wanted
            near, far = torch.where(short, middle, near), torch.where(short, far, middle)
        return torch.where(reached[:, None], params + far[:, None] * direction, torch.nan)


def exchanged(
    params: Float[Tensor, "B P"], other: Float[Tensor, "B Q"], direction: Float[Tensor, "B P"]
) -> Float[Tensor, "B P"]:
    """The parameters, with their component along `direction` (unit vectors) replaced by that of `other`.

    Raises:
        SettingError: when the two trainings have different numbers of parameters.
    """
    if other.shape != params.shape:
        sizes = f"{params.shape[1]} and {other.shape[1]} parameters"
        raise SettingError(
            f"exchange: the two runs have {sizes}; they may differ only in conditions that keep the model's shape"
        )
    return params + ((other - params) * direction).sum(1, keepdim=True) * direction
