"""Many trainings as one computation: the exact state of every member, and what it takes to go on from there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Ensemble:
    """The state of B members between two updates. Two equal states go on to equal futures, bit for bit.

    Axes: B members, P parameters.
    """

    params: Float[Tensor, "B P"]
    slots: Mapping[str, Float[Tensor, "B _"]]
    """What the update rule remembers, by name: for spikecheck's own rules P numbers each."""
    done: Int[Tensor, " B"]
    """Updates made so far; the learning rate's and the bias corrections' clock."""
    lr: Float[Tensor, " B"]
    alive: Bool[Tensor, " B"]
    """False once the loss was not finite: such a member keeps the state in which that happened."""

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
        """The same states at `factor` times their learning rates."""
        return replace(self, lr=self.lr * factor)
