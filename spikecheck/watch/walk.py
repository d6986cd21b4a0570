"""Evaluates the closure's loss along a step, always with the same random numbers."""

import os
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from spikecheck.core.errors import UsageError
from spikecheck.watch.segment import Segment
from spikecheck.watch.undisturbed import RandomState

Closure = Callable[[], Any]
"""Returns the loss of the step's batch: a tensor of one number, or a number."""


class Walk:
    """Evaluates a closure along a step: first at its end, then at increasing shares of it."""

    def __init__(
        self,
        closure: Closure,
        masks: RandomState,
        segments: Sequence[Segment],
        mean: Callable[[float], float] = float,
        after: Callable[[], object] = bool,
        graph: bool = False,
    ) -> None:
        """`mean` is over the processes that train together; `after` is called after every pass."""
        self._closure, self._masks, self._segments = closure, masks, segments
        self._mean, self._after = mean, after
        self.graph = graph
        """Whether the loss is computed with a graph, because it has derivatives in it."""
        self.eps = torch.finfo(torch.float64).eps
        """Machine epsilon of the coarsest floating-point type among losses and parameters (at most that of float32)."""
        for parameter in (p for segment in segments for p in segment.parameters):
            self.eps = max(self.eps, min(torch.finfo(parameter.dtype).eps, torch.finfo(torch.float32).eps))

    def loss_at(self, share: float) -> float:
        """The loss at a share of the step, in [0, 1]."""
        for segment in self._segments:
            segment.move(share)
        return self.loss()

    def loss(self, *, same_masks: bool = True) -> float:
        """The loss at the current parameters.

        Raises:
            UsageError: the closure does not return one number.
        """
        number = self._number(same_masks=same_masks)
        self._after()
        return self._mean(number)

    def drifts(self) -> bool:
        """Whether the loss is another one at once, with the same random numbers: it reads buffers that its pass changes."""
        first, second = (self._number(same_masks=True) for _ in range(2))
        self._after()
        return self._mean(first) != self._mean(second)

    def _number(self, *, same_masks: bool) -> float:
        if same_masks:
            self._masks.put_back()
        value = self._value()
        if isinstance(value, Tensor):
            if value.numel() != 1:
                raise UsageError(
                    f"the closure returned a tensor of shape {tuple(value.shape)}; return the loss, one number"
                )
            if value.is_floating_point():
                self.eps = max(self.eps, torch.finfo(value.dtype).eps)
        try:
            return float(value)
        except TypeError:
            raise UsageError(f"the closure returned a {type(value).__name__}; return the loss, one number") from None

    def _value(self) -> Any:
        """What the closure returns; a loss with derivatives in it, as that of forces, cannot be computed without a graph."""
        with torch.set_grad_enabled(self.graph):
            try:
                return self._closure()
            except RuntimeError as error:
                if self.graph or _NO_GRAPH not in str(error):
                    raise
                _check_no_backward(error)
        self.graph = True
        self._after()
        self._masks.put_back()
        return self._value()


_NO_GRAPH = "does not require grad"


def _check_no_backward(error: RuntimeError) -> None:
    """Raise UsageError where the closure makes gradients of its own: with a graph they would be added to the training's."""
    frames = traceback.extract_tb(error.__traceback__)
    if any(frame.name == "backward" and f"{os.sep}torch{os.sep}" in frame.filename for frame in frames):
        raise UsageError("the closure calls backward(); give watch.step one that only computes the loss") from error
