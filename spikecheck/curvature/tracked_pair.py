"""A vector with its image under a Hessian: the Rayleigh quotient, its residual, and the next guess.

The arithmetic is written as functions of columns [P, B], which are compiled where products are compiled: vectors are short,
and a dozen calls of torch for each would take as long as the products.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikecheck.tensors.compile import compiled

_SHIFT = 0.25
"""Share of the value that is added to the spectrum: a negative eigenvalue of the same size then fades by 0.6 per step."""

Columns = Float[Tensor, "P B"]


@dataclass(frozen=True)
class Pair:
    """Every member's unit vector v with its image H v, and what follows from them. Axes: B members, P parameters."""

    vector: Float[Tensor, "B P"]
    image: Float[Tensor, "B P"]
    value: Float[Tensor, " B"]
    """The Rayleigh quotient."""
    relative: Float[Tensor, " B"]
    """Length of the residual over the value's size."""
    ahead: Float[Tensor, "B P"]
    """The next guess: one step of the power method on H + shift, of unit length."""

    @property
    def residual(self) -> Float[Tensor, "B P"]:
        """H v - value v."""
        return torch.addcmul(self.image, self.vector, self.value[:, None], value=-1)

    def index(self, members: Int[Tensor, " F"] | slice) -> "Pair":
        """The pairs of these members."""
        return Pair(*(field[members] for field in self._fields()))

    def scatter(self, members: Int[Tensor, " F"], other: "Pair") -> "Pair":
        """These pairs with those of some members replaced by `other`'s; the rest keep their bits."""
        fields = zip(self._fields(), other._fields(), strict=True)
        return Pair(*(mine.index_copy(0, members, theirs) for mine, theirs in fields))

    def without(self, other: "Pair") -> "Pair":
        """The unit vector of the part orthogonal to another pair's vector; its image needs no product."""
        part = (self.vector * other.vector).sum(1, keepdim=True)
        rest = torch.addcmul(self.vector, other.vector, part, value=-1)
        length = torch.linalg.vector_norm(rest, dim=1, keepdim=True).clamp(min=torch.finfo(rest.dtype).tiny)
        return PLAIN.pair(rest / length, torch.addcmul(self.image, other.image, part, value=-1) / length)

    def _fields(self) -> tuple[Tensor, ...]:
        return self.vector, self.image, self.value, self.relative, self.ahead


@dataclass(frozen=True)
class Arithmetic:
    """The operations on pairs: by torch call by call, or by compiled kernels."""

    quotient: Callable[..., tuple[Tensor, ...]]
    rotation: Callable[..., tuple[Tensor, ...]]
    crossing: Callable[..., tuple[Tensor, ...]]

    def pair(self, vector: Float[Tensor, "B P"], image: Float[Tensor, "B P"]) -> Pair:
        """The pairs of unit vectors and their images."""
        value, relative, ahead = self.quotient(vector.T, image.T)
        return Pair(vector, image, value, relative, ahead.T)

    def turned(self, one: Pair, other: Pair) -> tuple[Pair, Pair]:
        """Rayleigh-Ritz in the span of two orthonormal vectors: the pair of the larger value, and the other pair."""
        first, image, second, image_of_second = self.rotation(one.vector.T, one.image.T, other.vector.T, other.image.T)
        return self.pair(first.T, image.T), self.pair(second.T, image_of_second.T)

    def beside(self, rows: Float[Tensor, "B P"], vector: Float[Tensor, "B P"]) -> Float[Tensor, "B P"]:
        """The rows, made orthogonal to the vectors and of unit length."""
        (crossed,) = self.crossing(rows.T, vector.T)
        return crossed.T


@lru_cache(maxsize=8)
def by_kernels(dtype: torch.dtype, threads: int) -> Arithmetic:
    """The compiled version of `PLAIN`."""

    def kernel(function: Callable[..., tuple[Tensor, ...]], arguments: int) -> Callable[..., tuple[Tensor, ...]]:
        example = [torch.zeros(150, 32, dtype=dtype) for _ in range(arguments)]  # any sizes would do
        made = compiled(function, example, of_all_sizes=True)
        return lambda *columns: tuple(made(*(each.contiguous() for each in columns)))

    return Arithmetic(kernel(_quotient, 2), kernel(_rotation, 4), kernel(_crossing, 2))


def _quotient(vector: Columns, image: Columns) -> tuple[Tensor, ...]:
    value = (vector * image).sum(0)
    size = value.abs()
    ahead = image + _SHIFT * size * vector
    return value, _length(image - value * vector) / size, ahead / _length(ahead)


def _rotation(one: Columns, image: Columns, other: Columns, image_of_other: Columns) -> tuple[Tensor, ...]:
    a, b, c = (one * image).sum(0), (one * image_of_other).sum(0), (other * image_of_other).sum(0)
    angle = torch.atan2(2 * b, a - c) / 2
    cos, sin = angle.cos(), angle.sin()
    return (
        cos * one + sin * other,
        cos * image + sin * image_of_other,
        cos * other - sin * one,
        cos * image_of_other - sin * image,
    )


def _crossing(rows: Columns, vector: Columns) -> tuple[Tensor, ...]:
    for _ in range(2):  # one pass leaves rounding errors of nearly parallel rows
        rows = rows - (rows * vector).sum(0) * vector
        rows = rows / _length(rows)
    return (rows,)


def _length(columns: Columns) -> Float[Tensor, " B"]:
    return columns.square().sum(0).sqrt().clamp(min=torch.finfo(columns.dtype).tiny)


PLAIN = Arithmetic(_quotient, _rotation, _crossing)
