"""One update of an ensemble, of all its members or of those that are to move."""

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
    """One update of every member that is alive and has not made `until` updates; the others stand still.

    With `along` (unit vectors) members move along that direction only.
    """
    alive = ensemble.alive & losses.isfinite()
    moving = alive & (ensemble.done < until)
    params, slots = _moved(rule, ensemble, gradients, moving, along)
    return replace(ensemble, params=params, slots=slots, done=ensemble.done + moving, alive=alive)


def update_all(
    rule: UpdateRule, ensemble: Ensemble, gradients: Float[Tensor, "B P"], along: Float[Tensor, "B P"] | None = None
) -> Ensemble:
    """One update of every member, where it is known that all of them move: without the masks, a fifth of a small step."""
    params, slots = _moved(rule, ensemble, gradients, None, along)
    return replace(ensemble, params=params, slots=slots, done=ensemble.done + 1)


def _moved(
    rule: UpdateRule,
    ensemble: Ensemble,
    gradients: Float[Tensor, "B P"],
    moving: Bool[Tensor, " B"] | None,
    along: Float[Tensor, "B P"] | None,
) -> tuple[Float[Tensor, "B P"], Mapping[str, Tensor]]:
    """Where one update brings every member."""
    params, slots = rule.move(ensemble, gradients, moving)
    if along is None:
        return params, slots
    motion = params - ensemble.params
    return ensemble.params + (motion * along).sum(1, keepdim=True) * along, slots
