"""Patches of images, laid out so that a convolution becomes one matrix product per member.

The points' axis comes last, so that a patch is copied in whole rows. torch's own convolutions, batched over members as groups,
take up to twice as long at these sizes, and their matrices are not aligned (see `tensors.batched_matmul`).
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from spikecheck.models.sizes import STRIDE, halved, kernel


def patches(signal: Float[Tensor, "B C H W N"]) -> Float[Tensor, "B C KH KW h w N"]:
    """Every second pixel with its neighbours, with zeros beyond the edge; differentiable twice.

    Axes: B members, C channels, H x W pixels, N points, KH x KW pixels per patch, h x w patches.
    """
    windows: Tensor = _Patches.apply(signal)  # type: ignore[no-untyped-call]
    return windows


class _Patches(torch.autograd.Function):
    """Copies pixels into patches."""

    @staticmethod
    def forward(ctx: Any, signal: Tensor) -> Tensor:
        members, channels, height, width, points = signal.shape
        ctx.size = size = (height, width)
        rim = [edge for length in reversed(kernel(size)) for edge in (length // 2,) * 2]
        framed = functional.pad(signal, [0, 0, *rim])
        windows = signal.new_empty(members, channels, *kernel(size), *halved(size), points)
        for down, right, pixels in _places(framed, size):
            windows[:, :, down, right] = pixels
        return windows

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Tensor:
        sums: Tensor = _Sums.apply(upstream, ctx.size)  # type: ignore[no-untyped-call]
        return sums


class _Sums(torch.autograd.Function):
    """Adds patches back onto their pixels. This and `_Patches` are each other's transpose."""

    @staticmethod
    def forward(ctx: Any, parts: Tensor, size: tuple[int, int]) -> Tensor:
        (high, wide), (height, width) = kernel(size), size
        framed = parts.new_zeros(*parts.shape[:2], height + high - 1, width + wide - 1, parts.shape[-1])
        for down, right, pixels in _places(framed, size):
            pixels.add_(parts[:, :, down, right])
        return framed[:, :, high // 2 : high // 2 + height, wide // 2 : wide // 2 + width]

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        return patches(upstream), None


def _places(framed: Tensor, size: tuple[int, int]) -> Iterator[tuple[int, int, Tensor]]:
    """Yield, for every place in a patch (down, right), a view of the pixels at that place in all patches."""
    rows, columns = (STRIDE * count - 1 for count in halved(size))
    for down, right in product(*map(range, kernel(size))):
        yield down, right, framed[:, :, down : down + rows : STRIDE, right : right + columns : STRIDE]
