"""One update of an ensemble, of all its members or of some."""

from collections.abc import Mapping
from dataclasses import replace

from jaxtyping import Bool, Float, Int
from torch import Tensor

from spikecheck.optimizers.ensemble import Ensemble
from spikecheck.optimizers.rules import UpdateRule


def update(
    rule: UpdateRule,
    ensemble: Ensemble,
    losses: Float[Tensor, " B"],
    gradients: Float[Tensor, "B P"],
    until: Int[Tensor, " B"],
    along: Float[Tensor, "B P"] | None = None,
) -> Ensemble:
    """Update every member that is alive and has made fewer than `until` updates; the others keep their state.

    With `along` (unit vectors), members move along that direction only.
    """
    alive = ensemble.alive & losses.isfinite()
    moving = alive & (ensemble.done < until)
    params, slots = _moved(rule, ensemble, gradients, moving, along)
    return replace(ensemble, params=params, slots=slots, done=ensemble.done + moving, alive=alive)


def update_all(
    rule: UpdateRule, ensemble: Ensemble, gradients: Float[Tensor, "B P"], along: Float[Tensor, "B P"] | None = None
) -> Ensemble:
    """Update every member, where all are known to move. Without masks it saves a fifth of a small step's time."""
    params, slots = _moved(rule, ensemble, gradients, None, along)
    return replace(ensemble, params=params, slots=slots, done=ensemble.done + 1)


def _moved(
    rule: UpdateRule,
    ensemble: Ensemble,
    gradients: Float[Tensor, "B P"],
    moving: Bool[Tensor, " B"] | None,
    along: Float[Tensor, "B P"] | None,
) -> tuple[Float[Tensor, "B P"], Mapping[str, Tensor]]:
    """Every member's parameters and optimizer state after one update."""
    params, slots = rule.move(ensemble, gradients, moving)
    if along is None:
        return params, slots
    motion = params - ensemble.params
    return ensemble.params + (motion * along).sum(1, keepdim=True) * along, slots
