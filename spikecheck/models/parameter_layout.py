"""Maps a member's flat parameters to the tensors that an optimizer expects: named, and shaped as in torch's own layers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from spikecheck.models.model import MLP, Conv, FromModule, Model


@dataclass(frozen=True)
class Span:
    """The place of one tensor among the flat parameters."""

    name: str
    start: int
    shape: tuple[int, ...]
    """The shape in which the numbers are stored there, row by row."""
    turned: bool = False
    """Whether torch's own layer has the transposed shape."""

    @property
    def stop(self) -> int:
        """The index after its last number."""
        return self.start + math.prod(self.shape)

    def of(self, row: Float[Tensor, " P"]) -> Tensor:
        """The tensor as a view of a member's parameters, or of anything with the same layout."""
        part = row[self.start : self.stop].view(self.shape)
        return part.T if self.turned else part


def torchs_order(layout: Sequence[Span]) -> tuple[list[int], tuple[Span, ...]]:
    """The permutation of flat parameters into torch's order, and the spans in that order, none of them turned."""
    order: list[int] = []
    straight = []
    for span in layout:
        numbers = torch.arange(span.start, span.stop).view(span.shape)
        seen = numbers.T if span.turned else numbers
        order += seen.reshape(-1).tolist()
        straight.append(Span(span.name, span.start, tuple(seen.shape)))
    return order, tuple(straight)


def spans(model: Model) -> tuple[Span, ...]:
    """All tensors of a model in their flat order.

    Tensors of built-in models are named layers.0.weight, layers.0.bias and so on; weights are [outgoing, incoming].
    """
    if isinstance(model, FromModule):
        named = [(name, tuple(shape), False) for name, shape in model.shapes.items()]
    else:
        assert isinstance(model, MLP | Conv)
        named = []
        for number, (incoming, outgoing) in enumerate(model.layers.pairs):
            named.append((f"layers.{number}.weight", (incoming, outgoing), True))
            if model.layers.output_bias or number < len(model.layers.pairs) - 1:
                named.append((f"layers.{number}.bias", (outgoing,), False))
    layout, start = [], 0
    for name, shape, turned in named:
        layout.append(Span(name, start, shape, turned))
        start = layout[-1].stop
    return tuple(layout)
