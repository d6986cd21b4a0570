"""Matrix products of an ensemble's members, each computed as if it were alone.

Intel's MKL rounds a product differently by where in memory its matrices begin, so in a plain `torch.bmm` a member of odd
width would get other bits at other places of the batch, and after a few thousand steps another run. Thin matrices need
no MKL. For the others every member's factors and product are laid at the start of a cache line.
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
"""Multiplications a member from which on its product is a call of its own."""


def product(left: Float[Tensor, "B N M"], right: Float[Tensor, "B M O"]) -> Float[Tensor, "B N O"]:
    """Every member's matrix product, differentiable twice.

    >>> product(torch.ones(2, 3, 4), torch.ones(2, 4, 5))[1, 2]
    tensor([4., 4., 4., 4., 4.])
    """
    if left.shape[2] != right.shape[1]:  # broadcasting would take 1 for anything
        raise ValueError(f"no product of members' matrices {list(left.shape[1:])} and {list(right.shape[1:])}")
    if right.shape[1] == 1:
        return left * right
    if right.shape[2] == 1:
        return (left * right.mT).sum(2, keepdim=True)
    found: Tensor = _Product.apply(left, right)  # type: ignore[no-untyped-call]
    return found


def plain_product(left: Float[Tensor, "B N M"], right: Float[Tensor, "B M O"]) -> Float[Tensor, "B N O"]:
    """The same bits without a derivative, which takes as long again; for matrices that `product` takes for thick ones."""
    return _bmm(left, right)


class _Product(torch.autograd.Function):
    """`torch.bmm` on aligned matrices, and so are the products in its derivatives."""

    @staticmethod
    def forward(left: Tensor, right: Tensor) -> Tensor:
        return _bmm(left, right)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, Tensor | None]:
        left, right = ctx.saved_tensors
        # The bookkeeping of a second derivative that nobody can ask for takes as long as the product.
        multiplied = product if torch.is_grad_enabled() else plain_product
        for_left = multiplied(upstream, right.mT) if ctx.needs_input_grad[0] else None
        for_right = multiplied(left.mT, upstream) if ctx.needs_input_grad[1] else None
        return for_left, for_right

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, int | None], left: Tensor, right: Tensor) -> tuple[Tensor, int]:
        """One more batch axis makes so many more members."""
        pair = ((left, in_dims[0]), (right, in_dims[1]))
        many = [t.expand(info.batch_size, *t.shape) if dim is None else t.movedim(dim, 0) for t, dim in pair]
        found = product(many[0].flatten(0, 1), many[1].flatten(0, 1))
        return found.unflatten(0, (info.batch_size, -1)), 0  # type: ignore[no-untyped-call]


def _bmm(left: Float[Tensor, "B N M"], right: Float[Tensor, "B M O"]) -> Float[Tensor, "B N O"]:
    """As it is, or as one opaque operation for whoever traces it: where numbers lie in memory is not known then."""
    found: Tensor = _opaque(left, right) if isinstance(left, FakeTensor) else _padded(left, right)
    return found


def _padded(left: Tensor, right: Tensor) -> Tensor:
    """`torch.bmm`, with as many rows more as bring every member's product to the start of a cache line too."""
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
    """Large matrices one after another: in a batch MKL takes up to twice as long for them."""
    if len(left) == 1:
        return torch.mm(left[0], right[0])[None]  # where torch finds room, a cache line begins
    found = _room(left, (len(left), left.shape[1], right.shape[2]))
    for one, other, out in zip(left, right, found, strict=True):
        torch.mm(one, other, out=out)
    return found.contiguous()


def aligned(matrices: Float[Tensor, "B N M"]) -> Float[Tensor, "B N M"]:
    """The same numbers, every member's from the start of a cache line; the same tensor where they lie so already."""
    if matrices.stride(2) != 1 and matrices.stride(1) == 1:
        return aligned(matrices.mT).mT
    line = _CACHE_LINE // matrices.itemsize
    starts_right = matrices.data_ptr() % _CACHE_LINE == 0 and matrices.stride(0) % line == 0
    if starts_right and matrices[0].is_contiguous():
        return matrices
    return _room(matrices, matrices.shape).copy_(matrices)


def _room(like: Tensor, shape: Sequence[int]) -> Float[Tensor, "B N M"]:
    """Matrices without numbers yet, every member's from the start of a cache line."""
    members, *sizes = shape
    line, numbers = _CACHE_LINE // like.itemsize, math.prod(sizes)
    return like.new_empty(members, -(-numbers // line) * line)[:, :numbers].view(members, *sizes)
