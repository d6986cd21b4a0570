"""Eigenpairs of the loss Hessian, algebraically largest first, for every member at once.

`exact` factorises the dense Hessian, `top` finds pairs without a starting guess, and `track` follows them from one update to
the next. Every reported value is the Rayleigh quotient of the returned vector, with that vector's residual.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from spikecheck.core.errors import SettingError
from spikecheck.curvature.dense_eigenvectors import top_eigenvectors
from spikecheck.curvature.hessian import LocalCurvature
from spikecheck.curvature.rayleigh_ritz import Ritz, explore, noise, ritz, search, usable

# Up to so many parameters, `top` factorises the dense Hessian: the first number where it is available as a matrix, of P^2
# numbers per member; the second where it takes P products, while a search takes about a hundred.
EXACT_UP_TO = 1000
EXACT_BY_PRODUCTS_UP_TO = 200
# Up to so many parameters, `track` does so too for members that it has lost, which is rare and takes a few milliseconds. Where
# products are cheap, it does so at once up to the first number, and after a search up to the second.
EXACT_WHEN_LOST = 128
EXACT_AFTER_A_SEARCH = 400

# The relative residual that a dense factorisation must reach; it is the default of `top` too.
EXACT_TOLERANCE = 1e-6

_GUARDS = 2
_COLD_GUARDS = 4
_COLD_GROWTH = 6
_COLD_ROUNDS = 100
# Where eigenvectors hardly change, residuals vanish and no longer point to a direction that rises from below the guards. So
# every few steps a "patrol" searches for one from random vectors, a few products deep.
_STEPS_A_PATROL = 10
_PATROLLING = 3
_PATROL_DEPTH = 4
_HESSIAN_ROWS_AT_ONCE = 64
_NUMBERS_AT_ONCE = 2**18
"""Numbers of the Hessians that are computed together: 2 MiB in float64, which the second cache holds."""
# Where products are cheap, two of them take less time than one round of the search and save most of its rounds.
_SHARPENING = 2


@dataclass(frozen=True)
class EigenPairs:
    """The top eigenpairs of every member's Hessian. Axes: B members, K eigenpairs, M directions, P parameters.

    Where a Hessian has an entry that is not finite, or whose square is not, values are NaN, residuals are infinite and nothing
    has converged.
    """

    values: Float[Tensor, "B K"]
    vectors: Float[Tensor, "B K P"]
    """Of unit length."""
    residuals: Float[Tensor, "B K"]
    """|H v - value v| / |largest value|. A value's error, in the same units, is at most this and mostly about its square."""
    converged: Bool[Tensor, "B K"]
    """Whether the residual is within tolerance; for a pair well below the first, relative to its own value."""
    basis: Float[Tensor, "B M P"]
    """Start of a search nearby: the vectors, guard vectors below them, and those of one step earlier."""
    age: int = 0
    """Steps tracked since the pairs were found without a guess."""


def exact(local: LocalCurvature, pairs: int) -> EigenPairs:
    """The top `pairs` eigenpairs by the dense Hessian, with at most P products and one factorisation per member.

    Raises:
        SettingError: when `pairs` is below 1 or above the number of parameters.
    """
    _, size = _checked(local, pairs)
    ritz_pairs = _dense(local, min(2 * (pairs + _GUARDS), size), _everyone(local))
    vectors = _positive(ritz_pairs.vectors)
    return _reported(ritz_pairs, vectors[:, :pairs], _reachable(local, EXACT_TOLERANCE), vectors)


def top(local: LocalCurvature, pairs: int, tolerance: float = 1e-6) -> EigenPairs:
    """The top `pairs` eigenpairs without a guess: exact for few parameters, else iterated from fixed random vectors.

    `tolerance` is the relative residual at which an iterated pair has converged; rounding sets its lower limit.

    Raises:
        SettingError: when `pairs` is below 1 or above the number of parameters.
    """
    members, size = _checked(local, pairs)
    if size <= (EXACT_UP_TO if local.written_out else EXACT_BY_PRODUCTS_UP_TO):
        return exact(local, pairs)
    width = pairs + _COLD_GUARDS
    start = noise(width, local.gradients).expand(members, -1, -1)
    tolerance = _reachable(local, tolerance)
    ritz_pairs = search(local, start, width, pairs, width, tolerance, _COLD_GROWTH)
    before = start
    for _ in range(_COLD_ROUNDS):
        done = ritz_pairs.settled(pairs, tolerance)
        if done.all():
            break
        start, before = torch.cat([ritz_pairs.vectors, before], 1), ritz_pairs.vectors
        ritz_pairs = ritz_pairs.where(done, search(local, start, width, pairs, width, tolerance, _COLD_GROWTH))
    vectors = _positive(ritz_pairs.vectors)
    return _reported(ritz_pairs, vectors[:, :pairs], tolerance, vectors)


def track(local: LocalCurvature, previous: EigenPairs, tolerance: float = 1e-3, most: int = 5) -> EigenPairs:
    """Follow the pairs of `previous`, found at nearby parameters, to this point; every vector keeps its sign.

    Gradient descent at the edge of stability oscillates with period two, and so does the Hessian: the span of the last two
    steps' vectors nearly contains the new ones. From that span the search grows by at most `most` residuals per pair. Pairs
    whose relative residual stays above `tolerance` are not converged; where the limit EXACT_WHEN_LOST or
    EXACT_AFTER_A_SEARCH allows, they are computed from the dense Hessian.
    """
    pairs = previous.values.shape[1]
    _, size = _checked(local, pairs)
    tolerance = _reachable(local, tolerance)
    keep = min(pairs + _GUARDS, size)
    age = previous.age + 1
    start = previous.basis if age % _STEPS_A_PATROL else _patrolled(local, previous.basis, keep, age)
    start = _sharpened(local, start) if local.cheap else start
    ritz_pairs = _followed(local, start, keep, pairs, tolerance, most)
    vectors = _continued(ritz_pairs.vectors[:, :pairs], previous.vectors)
    basis = torch.cat([ritz_pairs.vectors, previous.basis[:, :keep]], 1)
    return replace(_reported(ritz_pairs, vectors, tolerance, basis), age=age)


def _patrolled(local: LocalCurvature, basis: Float[Tensor, "B M P"], keep: int, age: int) -> Float[Tensor, "B M P"]:
    """The basis with its first `keep` directions replaced by the best that a search from random vectors adds to them."""
    members, directions, size = basis.shape
    if size < max(2 * directions, keep + _PATROLLING * _PATROL_DEPTH):
        return basis
    scouts = noise(_PATROLLING, basis, age).expand(members, -1, -1)
    ritz_pairs = explore(local, basis[:, :keep], scouts, _PATROL_DEPTH)
    return torch.cat([ritz_pairs.vectors, basis[:, keep:]], 1)


def _sharpened(local: LocalCurvature, start: Float[Tensor, "B M P"]) -> Float[Tensor, "B M P"]:
    """The basis after a few products with H, which leave mostly the top of the spectrum."""
    for _ in range(_SHARPENING):
        start = local.product(torch.nn.functional.normalize(start, dim=2)).nan_to_num(0.0, 0.0, 0.0)
    return start


def _followed(
    local: LocalCurvature, start: Float[Tensor, "B M P"], keep: int, pairs: int, tolerance: float, most: int
) -> Ritz:
    """The top pairs near the span of `start`; by dense Hessians where that span is at least half of the space."""
    _, directions, size = start.shape
    if size <= 2 * directions:
        return _dense(local, keep, _everyone(local))
    at_once = local.cheap and size <= EXACT_WHEN_LOST
    ritz_pairs = search(local, start, keep, pairs, pairs, tolerance, 0 if at_once else most)
    lost = ~ritz_pairs.settled(pairs, tolerance)
    if size <= (EXACT_AFTER_A_SEARCH if local.cheap else EXACT_WHEN_LOST) and lost.any():
        return _dense(local, keep, lost).where(lost, ritz_pairs)
    return ritz_pairs


def _reported(ritz_pairs: Ritz, vectors: Float[Tensor, "B K P"], tolerance: float, basis: Tensor) -> EigenPairs:
    """The first pairs that were found, with the signs of `vectors`."""
    pairs = vectors.shape[1]
    sound = ritz_pairs.sound[:, None]
    residuals = torch.where(sound, ritz_pairs.relative_residuals()[:, :pairs], torch.inf)
    values = torch.where(sound, ritz_pairs.values[:, :pairs], torch.nan)
    return EigenPairs(values, vectors, residuals, ritz_pairs.converged(tolerance)[:, :pairs], basis)


def _dense(local: LocalCurvature, keep: int, wanted: Bool[Tensor, " B"]) -> Ritz:
    """The top `keep` pairs of the wanted members by their dense Hessians; unit vectors for the others."""
    members, size = local.gradients.shape
    if not local.gradients.is_cpu:
        return _dense_at_once(local, keep, wanted)
    vectors = torch.eye(keep, size, dtype=local.gradients.dtype, device=local.gradients.device).repeat(members, 1, 1)
    for member, hessian in _hessians(local, wanted):
        # One at a time: factors of all at once would take three times the Hessians' memory.
        vectors[member] = top_eigenvectors((hessian + hessian.T) / 2, keep)
    return ritz(vectors, local.product(vectors), keep)


def _dense_at_once(local: LocalCurvature, keep: int, wanted: Bool[Tensor, " B"]) -> Ritz:
    """The same as `_dense` for all members at once, which is fastest on an accelerator."""
    hessians = local.hessians()
    hessians = _multiplied(local) if hessians is None else hessians
    usual = wanted & usable(hessians)
    symmetric = torch.where(usual[:, None, None], (hessians + hessians.mT) / 2, 0.0)
    vectors = torch.linalg.eigh(symmetric).eigenvectors.mT.flip(1)[:, :keep].contiguous()
    return ritz(vectors, local.product(vectors), keep)


def _hessians(local: LocalCurvature, wanted: Bool[Tensor, " B"]) -> Iterator[tuple[int, Float[Tensor, "P P"]]]:
    """Yield the wanted members' Hessians, a few computed at a time, where their numbers are usable."""
    multiplied: Tensor | None = None
    at_once = max(1, _NUMBERS_AT_ONCE // local.gradients.shape[1] ** 2)
    chosen = wanted.nonzero().ravel().tolist()
    for first in range(0, len(chosen), at_once):
        members = chosen[first : first + at_once]
        hessians = local.hessians_of(members)
        if hessians is None:
            multiplied = _multiplied(local) if multiplied is None else multiplied
            hessians = multiplied[members]
        for member, hessian, sound in zip(members, hessians, usable(hessians).tolist(), strict=True):
            if sound:
                yield member, hessian


def _multiplied(local: LocalCurvature) -> Float[Tensor, "B P P"]:
    """Every member's Hessian, by P products."""
    members, size = local.gradients.shape
    hessians = local.gradients.new_empty(members, size, size)
    units = torch.eye(size, dtype=hessians.dtype, device=hessians.device)
    for first in range(0, size, _HESSIAN_ROWS_AT_ONCE):
        rows = slice(first, first + _HESSIAN_ROWS_AT_ONCE)
        hessians[:, rows] = local.product(units[rows].expand(members, -1, -1))
    return hessians


def _everyone(local: LocalCurvature) -> Bool[Tensor, " B"]:
    return torch.ones_like(local.losses, dtype=torch.bool)


def _checked(local: LocalCurvature, pairs: int) -> tuple[int, int]:
    """The numbers of members and parameters, after checking `pairs` against the latter."""
    members, size = local.gradients.shape
    if not 1 <= pairs <= size:
        raise SettingError(f"pairs={pairs}: a model of {size} parameters has between 1 and {size} eigenpairs")
    return members, size


def _reachable(local: LocalCurvature, tolerance: float) -> float:
    """The tolerance, but at least 100 epsilon: rounding makes products of P numbers wrong by some multiple of epsilon."""
    return max(tolerance, 100 * torch.finfo(local.gradients.dtype).eps)


def _positive(vectors: Float[Tensor, "B K P"]) -> Float[Tensor, "B K P"]:
    """The vectors with signs that make each one's largest component positive."""
    largest = vectors.gather(2, vectors.abs().argmax(2, keepdim=True))
    return torch.where(largest < 0, -vectors, vectors)


def _continued(vectors: Float[Tensor, "B K P"], before: Float[Tensor, "B K P"]) -> Float[Tensor, "B K P"]:
    """The vectors with signs that make each one's product with the vector before non-negative."""
    along = (vectors * before).sum(2, keepdim=True)
    return torch.where(along < 0, -vectors, vectors)
