"""Matrix products of an ensemble's members, each rounded as if it were alone.

Intel's MKL rounds a product by where in memory its matrices begin. In a plain `torch.bmm`, a member of odd width would get
other bits at other places of the batch, and after a few thousand steps another run. Thin matrices do not need MKL. For all
others, every member's factors and product begin at a cache line.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.nn import functional

_CACHE_LINE = 64  # bytes
_LARGE = 2**20
"""Multiplications per member from which on each member's product is a separate call."""


def product(left: Float[Tensor, "B N M"], right: Float[Tensor, "B M O"]) -> Float[Tensor, "B N O"]:
    """Every member's matrix product, differentiable twice.

    >>> product(torch.ones(2, 3, 4), torch.ones(2, 4, 5))[1, 2]
    tensor([4., 4., 4., 4., 4.])
    """
    if left.shape[2] != right.shape[1]:  # broadcasting would accept a 1
        raise ValueError(f"no product of members' matrices {list(left.shape[1:])} and {list(right.shape[1:])}")
    if right.shape[1] == 1:
        return left * right
    if right.shape[2] == 1:
        return (left * right.mT).sum(2, keepdim=True)
    products: Tensor = _Product.apply(left, right)  # type: ignore[no-untyped-call]
    return products


def plain_product(left: Float[Tensor, "B N M"], right: Float[Tensor, "B M O"]) -> Float[Tensor, "B N O"]:
    """`product` without derivatives, which take as long again; for matrices without an axis of length 1."""
    return _bmm(left, right)


class _Product(torch.autograd.Function):
    """`torch.bmm` on aligned matrices; its derivatives use aligned products too."""

    @staticmethod
    def forward(left: Tensor, right: Tensor) -> Tensor:
        return _bmm(left, right)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, Tensor | None]:
        left, right = ctx.saved_tensors
        # The bookkeeping of a second derivative takes as long as the product, so it is skipped where there can be none.
        multiplied = product if torch.is_grad_enabled() else plain_product
        for_left = multiplied(upstream, right.mT) if ctx.needs_input_grad[0] else None
        for_right = multiplied(left.mT, upstream) if ctx.needs_input_grad[1] else None
        return for_left, for_right

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, int | None], left: Tensor, right: Tensor) -> tuple[Tensor, int]:
        """A batch axis is treated as additional members."""
        pair = ((left, in_dims[0]), (right, in_dims[1]))
        many = [t.expand(info.batch_size, *t.shape) if dim is None else t.movedim(dim, 0) for t, dim in pair]
        products = product(many[0].flatten(0, 1), many[1].flatten(0, 1))
        return products.unflatten(0, (info.batch_size, -1)), 0  # type: ignore[no-untyped-call]


def _bmm(left: Float[Tensor, "B N M"], right: Float[Tensor, "B M O"]) -> Float[Tensor, "B N O"]:
    """The product; when traced, one opaque operation, since tracing does not know where numbers lie in memory."""
    products: Tensor = _opaque(left, right) if isinstance(left, FakeTensor) else _padded(left, right)
    return products


def _padded(left: Tensor, right: Tensor) -> Tensor:
    """`torch.bmm`, padded with rows so that every member's product begins at a cache line too."""
    rows, line = left.shape[1], _CACHE_LINE // left.itemsize
    if left.device.type == "cpu" and left[0].numel() * right.shape[2] >= _LARGE:
        return _one_by_one(aligned(left), aligned(right))
    if rows * right.shape[2] % line == 0:
        return torch.bmm(aligned(left), aligned(right))
    padded = functional.pad(left, (0, 0, 0, -rows % line))
    return torch.bmm(aligned(padded), aligned(right)).narrow_copy(1, 0, rows)


_opaque = torch.library.custom_op("spikecheck::product", _padded, mutates_args=())


@_opaque.register_fake
def _shape(left: Tensor, right: Tensor) -> Tensor:
    return left.new_empty(left.shape[0], left.shape[1], right.shape[2])


def _one_by_one(left: Float[Tensor, "B N M"], right: Float[Tensor, "B M O"]) -> Float[Tensor, "B N O"]:
    """Products of large matrices one after another: MKL takes up to twice as long for them in a batch."""
    if len(left) == 1:
        return torch.mm(left[0], right[0])[None]  # torch allocates at cache lines
    products = _room(left, (len(left), left.shape[1], right.shape[2]))
    for one, other, out in zip(left, right, products, strict=True):
        torch.mm(one, other, out=out)
    return products.contiguous()


def aligned(matrices: Float[Tensor, "B N M"]) -> Float[Tensor, "B N M"]:
    """The matrices with every member's numbers at the start of a cache line; the same tensor if they are already."""
    if matrices.stride(2) != 1 and matrices.stride(1) == 1:
        return aligned(matrices.mT).mT
    line = _CACHE_LINE // matrices.itemsize
    starts_right = matrices.data_ptr() % _CACHE_LINE == 0 and matrices.stride(0) % line == 0
    if starts_right and matrices[0].is_contiguous():
        return matrices
    return _room(matrices, matrices.shape).copy_(matrices)


def _room(like: Tensor, shape: Sequence[int]) -> Float[Tensor, "B N M"]:
    """Uninitialised matrices, every member's at the start of a cache line."""
    members, *sizes = shape
    line, numbers = _CACHE_LINE // like.itemsize, math.prod(sizes)
    return like.new_empty(members, -(-numbers // line) * line)[:, :numbers].view(members, *sizes)
