"""Rayleigh-Ritz: the best approximations to a Hessian's top eigenpairs within a small subspace.

LAPACK and BLAS round by the address at which a matrix starts. In a batch, a member's bits would then depend on its place. So
every matrix given to them is padded to whole 64-byte lines.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from spikecheck.curvature.hessian import LocalCurvature

# 64 bytes hold 16 float32 numbers; a square matrix of a multiple of 4 rows fills whole lines as well.
_COLUMNS = 16
_ROWS = 4
# Noise in directions that enlarge a subspace: too little to slow a search, enough to stand in for a residual that is zero.
_GRAIN = 1e-3


@dataclass(frozen=True)
class Ritz:
    """M orthonormal vectors of every member with their images under H; largest Rayleigh quotient first."""

    values: Float[Tensor, "B M"]
    vectors: Float[Tensor, "B M P"]
    images: Float[Tensor, "B M P"]
    sound: Bool[Tensor, " B"]
    """False where H gave a number that is not usable; the member's pairs are then meaningless."""

    @cached_property
    def residuals(self) -> Float[Tensor, "B M P"]:
        """H v - value v."""
        return self.images - self.values[:, :, None] * self.vectors

    def relative_residuals(self) -> Float[Tensor, "B M"]:
        """Lengths of the residuals, divided by the size of the largest value."""
        size = self.values[:, :1].abs().clamp(min=torch.finfo(self.values.dtype).tiny)
        lengths: Tensor = torch.linalg.vector_norm(self.residuals / size[:, :, None], dim=2)
        return lengths

    def converged(self, tolerance: float) -> Bool[Tensor, "B M"]:
        """Whether a residual is within tolerance, relative to its value, or to a tenth of the largest if that is more."""
        sizes = self.values.abs()
        allowed = tolerance * torch.minimum(torch.maximum(sizes, sizes[:, :1] / 10), sizes[:, :1])
        within: Tensor = torch.linalg.vector_norm(self.residuals, dim=2) <= allowed
        return within & self.sound[:, None]

    def settled(self, pairs: int, tolerance: float) -> Bool[Tensor, " B"]:
        """True for members whose first `pairs` have converged, and for those that are not sound."""
        return self.converged(tolerance)[:, :pairs].all(1) | ~self.sound

    def where(self, mask: Bool[Tensor, " B"], other: "Ritz") -> "Ritz":
        """These pairs for the members under the mask, the other's for the rest."""
        return Ritz(
            torch.where(mask[:, None], self.values, other.values),
            torch.where(mask[:, None, None], self.vectors, other.vectors),
            torch.where(mask[:, None, None], self.images, other.images),
            torch.where(mask, self.sound, other.sound),
        )


def search(
    local: LocalCurvature, start: Float[Tensor, "B S P"], keep: int, pairs: int, block: int, tolerance: float, most: int
) -> Ritz:
    """The top `keep` Ritz pairs of the span of `start`, enlarged until the first `pairs` have converged.

    This is a block Davidson search: the subspace grows by the residuals of the first `block` pairs, at most `most` times, and
    is never contracted. The result of a member is fixed once it has converged, so it does not depend on how long the others
    take.
    """
    basis = orthonormal(start)
    images = local.product(basis)
    best = ritz(basis, images, keep)
    for _ in range(min(most, (start.shape[2] - start.shape[1]) // block)):
        done = best.settled(pairs, tolerance)
        if done.all():
            break
        fresh = beside(basis, best.residuals[:, :block])
        basis = torch.cat([basis, fresh], 1)
        images = torch.cat([images, local.product(fresh)], 1)
        best = best.where(done, ritz(basis, images, keep))
    return best


def explore(local: LocalCurvature, known: Float[Tensor, "B M P"], scouts: Float[Tensor, "B R P"], depth: int) -> Ritz:
    """The best M Ritz pairs of the span of `known` and of the Krylov spaces of `scouts` with `depth` vectors each."""
    basis = orthonormal(known)
    images = local.product(basis)
    for _ in range(depth):
        scouts = beside(basis, scouts)
        basis = torch.cat([basis, scouts], 1)
        scouts = local.product(scouts)
        images = torch.cat([images, scouts], 1)
        scouts = scouts.nan_to_num(0.0, 0.0, 0.0)
    return ritz(basis, images, known.shape[1])


def ritz(basis: Float[Tensor, "B S P"], images: Float[Tensor, "B S P"], keep: int) -> Ritz:
    """The top `keep` Ritz pairs of an orthonormal basis whose images under H are known."""
    sound = usable(images)
    rows = _padded(basis)
    image_rows = _padded(images if sound.all() else torch.where(sound[:, None, None], images, 0.0))
    projected = rows @ image_rows.mT
    values, coordinates = torch.linalg.eigh(_below_all(projected + projected.mT, basis.shape[1]) / 2)
    last = slice(-(keep + -keep % _ROWS), None)
    turn = coordinates[:, :, last].mT.flip(1).contiguous()
    cut = (slice(None), slice(keep), slice(basis.shape[2]))
    return Ritz(values.flip(1)[:, :keep], (turn @ rows)[cut], (turn @ image_rows)[cut], sound)


def usable(rows: Float[Tensor, "B S P"]) -> Bool[Tensor, " B"]:
    """Whether a member's numbers and their squares are finite: a diverging training overflows in the next sum."""
    limit = torch.finfo(rows.dtype).max ** 0.5
    within: Tensor = rows.abs().amax((1, 2)) < limit  # the largest of numbers is NaN where one is
    return within


def orthonormal(rows: Float[Tensor, "B S P"]) -> Float[Tensor, "B S P"]:
    """An orthonormal basis of the rows' span by Householder reflections; orthonormal even if the rows are dependent."""
    width = rows.shape[2]
    padded = functional.pad(rows, (0, -width % _COLUMNS))
    columns: Tensor = torch.linalg.qr(padded.mT).Q
    return columns.mT[:, :, :width].contiguous()


def beside(basis: Float[Tensor, "B S P"], rows: Float[Tensor, "B R P"]) -> Float[Tensor, "B R P"]:
    """The rows, made orthonormal to the basis and to one another.

    Two passes are made, since the first may cancel nearly everything. A row that vanishes is replaced by noise.
    """
    whole = _padded(basis)
    rows = functional.normalize(rows, dim=2) + _GRAIN * noise(rows.shape[1], rows)
    for _ in range(2):
        inside = _padded(rows)
        outside = inside - (inside @ whole.mT) @ whole
        rows = orthonormal(outside[:, : rows.shape[1], : rows.shape[2]])
    return rows


def noise(count: int, like: Float[Tensor, "*any P"], seed: int = 0) -> Float[Tensor, "1 S P"]:
    """Random rows of about unit length, the same for every member."""
    rows: Tensor = _drawn(count, like.shape[-1], seed)
    return rows.to(like)


@lru_cache(maxsize=64)
def _drawn(count: int, size: int, seed: int) -> Float[Tensor, "1 S P"]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, count, size, generator=generator, dtype=torch.float64).mul(size**-0.5)


def _below_all(square: Float[Tensor, "B S S"], used: int) -> Float[Tensor, "B S S"]:
    """A symmetric matrix whose unused last rows have eigenvalues below all others."""
    bound = square.abs().sum(2).amax(1, keepdim=True)
    lowered = square.clone()
    lowered.diagonal(dim1=1, dim2=2)[:, used:] -= 2 * bound + 1
    return lowered


def _padded(rows: Float[Tensor, "B S P"]) -> Float[Tensor, "B S2 P2"]:
    wide: Tensor = functional.pad(rows, (0, -rows.shape[2] % _COLUMNS, 0, -rows.shape[1] % _ROWS))
    return wide.contiguous()
