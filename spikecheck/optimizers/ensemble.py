"""Many trainings as one computation: the exact state of every member, from which training can continue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Ensemble:
    """The state of B members between two updates. Equal states lead to equal trainings, bit for bit.

    Axes: B members, P parameters.
    """

    params: Float[Tensor, "B P"]
    slots: Mapping[str, Float[Tensor, "B _"]]
    """The update rule's state, by name: P numbers each for built-in rules."""
    done: Int[Tensor, " B"]
    """Updates made so far, on which schedules and bias corrections depend."""
    lr: Float[Tensor, " B"]
    alive: Bool[Tensor, " B"]
    """False once the loss was not finite; such a member keeps the state at which that happened."""

    @property
    def members(self) -> int:
        """B."""
        return self.params.shape[0]

    def select(self, members: Sequence[int]) -> "Ensemble":
        """The states of these members, in this order."""
        chosen = list(members)
        slots = {name: numbers[chosen] for name, numbers in self.slots.items()}
        return Ensemble(self.params[chosen], slots, self.done[chosen], self.lr[chosen], self.alive[chosen])

    def at_rate(self, factor: float) -> "Ensemble":
        """The same states with learning rates multiplied by `factor`."""
        return replace(self, lr=self.lr * factor)
