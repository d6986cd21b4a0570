"""The largest eigenvalue of a big model's Hessian: few products, few vectors in memory, from the last one found.

`eigenpairs.top` and `track` are for many small models at once and keep dozens of vectors each. This keeps fewer, so that it
serves models of 1e7 parameters.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.core.errors import SettingError
from spikecheck.curvature.eigenpairs import exact
from spikecheck.curvature.hessian import LocalCurvature
from spikecheck.curvature.rayleigh_ritz import Ritz, explore, search

_KEPT = 3
"""Vectors from which the next search starts."""
_SCOUT_DEPTH = 3
"""Products of the gradient and of a random vector that a search begins with, so that it finds what has risen elsewhere."""
_GROWTH = 12
"""By how many directions the space grows before it is contracted to the best."""
_EXACT_UP_TO = 40
"""Parameters up to which the dense Hessian is taken apart: it costs no more products."""


@dataclass(frozen=True)
class Largest:
    """The algebraically largest eigenvalue of a Hessian, as a Rayleigh quotient with its own residual."""

    value: float
    """Not a number where the Hessian's products are none."""
    vector: Float[Tensor, "1 P"]
    """Of unit length."""
    residual: float
    """|H v - value v| / |value|. The value is off by no more than this share, and mostly by about its square."""
    converged: bool
    products: int
    """Hessian products that it took."""
    basis: Float[Tensor, "1 M P"]
    """Where a search nearby starts."""


def largest(
    local: LocalCurvature, previous: Largest | None = None, tolerance: float = 1e-3, rounds: int = 20
) -> Largest:
    """The largest eigenvalue, searched for until its relative residual is within `tolerance`.

    Args:
        local: of one model.
        previous: what was found at parameters nearby.
        tolerance: relative residual, at least 1e-6.
        rounds: at most so many times 15 products.

    Raises:
        SettingError: when `local` is of several models.
    """
    members, size = local.gradients.shape
    if members != 1:
        raise SettingError(f"local: is of {members} models; give one, or use eigenpairs.top for all at once")
    before = local.products
    if size <= _EXACT_UP_TO:
        pairs = exact(local, 1)
        return Largest(
            float(pairs.values[0, 0]), pairs.vectors[:, 0], float(pairs.residuals[0, 0]), bool(pairs.converged[0, 0]),
            local.products - before, pairs.vectors,
        )  # fmt: skip
    tolerance = max(tolerance, 1e-6)
    known = _noise(local, _KEPT) if previous is None else previous.basis
    gradient = torch.where(local.gradients.isfinite(), local.gradients, 0.0)
    ritz_pairs = explore(local, known, torch.cat([gradient[:, None], _noise(local, 1)], 1), _SCOUT_DEPTH)
    for _ in range(rounds):
        if bool(ritz_pairs.settled(1, tolerance).all()):
            break
        ritz_pairs = search(local, ritz_pairs.vectors, _KEPT, 1, 1, tolerance, _GROWTH)
    return _reported(ritz_pairs, tolerance, local.products - before)


def _reported(ritz_pairs: Ritz, tolerance: float, products: int) -> Largest:
    sound = bool(ritz_pairs.sound[0])
    return Largest(
        float(ritz_pairs.values[0, 0]) if sound else float("nan"),
        ritz_pairs.vectors[:, 0],
        float(ritz_pairs.relative_residuals()[0, 0]) if sound else float("inf"),
        bool(ritz_pairs.converged(tolerance)[0, 0]),
        products,
        ritz_pairs.vectors,
    )


def _noise(local: LocalCurvature, rows: int) -> Float[Tensor, "1 M P"]:
    """Random rows of about unit length, the same at every call with so many products behind it; not kept in memory."""
    like = local.gradients
    generator = torch.Generator().manual_seed(local.products)
    drawn = torch.randn(1, rows, like.shape[1], generator=generator, dtype=like.dtype)
    noise: Tensor = drawn.mul_(like.shape[1] ** -0.5).to(like.device)
    return noise
