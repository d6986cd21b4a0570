"""How a cause is planted in a training that ships: a clock in its state, batches and gradients that follow the clock.

Nothing of the training is copied: its step, its batches and its state are those of the shipped workload, and a plant acts
between them. What a plant does depends on the clock and on the seed alone, so a fork from any state does it again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from spikecheck.tensors.seeding import generator_of
from spikecheck.watch.training import Training

Batch = Any
"""A pair of inputs and labels, as tuple or list."""


class Clock:
    """Steps made so far, as a part of the training's state."""

    def __init__(self) -> None:
        self.made = 0

    def state_dict(self) -> dict[str, int]:
        """Steps made."""
        return {"made": self.made}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from there."""
        self.made = state["made"]


@dataclass(frozen=True)
class Window:
    """The steps in which a plant acts: `length` of them from `onset` on."""

    onset: int
    length: int

    def __contains__(self, step: int) -> bool:
        return self.onset <= step < self.onset + self.length


Change = Callable[[Batch, torch.Generator], Batch]
"""A batch from a batch, and a generator seeded for its number."""


class ChangedBatches:
    """A training's batches, of which those numbered within the window are changed.

    The change belongs to the batch and not to the step: a fork that takes other batches does not meet it.
    """

    def __init__(self, training: Training, window: Window, seed: int, change: Change) -> None:
        self._cursor, self._window, self._seed, self._change = training._batches, window, seed, change
        self._number = 0

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        batch, number = self._cursor.next(), self._number
        self._number += 1
        return self._change(batch, generator_of(self._seed, "planted", number)) if number in self._window else batch

    def state_dict(self) -> dict[str, Any]:
        """The next batch's number, and where the training's own batches stand."""
        return {"number": self._number, "own": self._cursor.position()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there. As with any loader, the random state is the caller's to put back afterwards."""
        self._number = state["number"]
        self._cursor.go_to(state["own"])


class RepeatedBatches(ChangedBatches):
    """A training's batches, of which the first within the window comes at every step of it, in place of the others."""

    def __init__(self, training: Training, window: Window) -> None:
        super().__init__(training, window, 0, lambda batch, _: batch)
        self._held: Batch = None

    def __next__(self) -> Batch:
        number, batch = self._number, super().__next__()
        self._held = (self._held if number > self._window.onset else batch) if number in self._window else None
        return batch if self._held is None else self._held

    def state_dict(self) -> dict[str, Any]:
        """As its base, and the batch that is repeated."""
        return {**super().state_dict(), "held": self._held}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        super().load_state_dict(state)
        self._held = state["held"]


def relabelled(classes: int, share: float) -> Change:
    """Labels drawn evenly from all classes, in about this share of the places."""

    def change(batch: Batch, generator: torch.Generator) -> Batch:
        inputs, labels = batch
        drawn = torch.randint(classes, labels.shape, generator=generator).to(labels)
        chosen = (torch.rand(labels.shape, generator=generator) < share).to(labels.device)
        return type(batch)((inputs, torch.where(chosen, drawn, labels)))

    return change


def replaced(share: float, rare: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> Change:
    """About this share of the batch's points replaced by what `rare` makes of inputs and labels."""

    def change(batch: Batch, generator: torch.Generator) -> Batch:
        chosen = torch.rand(len(batch[0]), generator=generator) < share
        pairs = zip(batch, rare(*batch), strict=True)
        return type(batch)(
            torch.where(chosen.to(own.device).view(-1, *[1] * (own.ndim - 1)), other, own) for own, other in pairs
        )

    return change


def scale_gradients(training: Training, scale: Callable[[], float]) -> None:
    """Multiply every gradient as soon as it is complete, before anything clips or uses it."""

    def scaled(parameter: Tensor) -> None:
        factor = scale()
        if parameter.grad is not None and factor != 1.0:
            parameter.grad.mul_(factor)

    for parameter in training.model.parameters():
        parameter.register_post_accumulate_grad_hook(scaled)
