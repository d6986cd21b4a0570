"""What planning must know about a fork: where it leaves its parent, and what its intervention takes.

`forks` carries interventions out. Apart from it, so that what is stored can be looked up and read without torch.
"""

from dataclasses import dataclass

from spikecheck.core.intervention import (
    Continue,
    Exchange,
    Fork,
    FreezeOutside,
    Hold,
    Inject,
    Jitter,
    LowerRate,
    Retune,
)
from spikecheck.core.recipe import Recipe
from spikecheck.core.run import Run
from spikecheck.measures.spikes import first_onset


@dataclass(frozen=True)
class ForkTraits:
    """What one intervention takes. The defaults are those of an intervention that changes nothing."""

    needs_curvature: bool = False
    """Whether it computes Hessian-vector products; the memory estimate depends on it."""
    adds_noise: bool = False
    plain_updates: bool = False
    """Whether every update is a plain update of the rule, so that one call can make many of them."""
    pairs: int = 0
    """Eigenpairs searched for at the fork; 0 where the number is small and fixed."""


_TRAITS: dict[type[Fork], ForkTraits] = {
    Continue: ForkTraits(plain_updates=True),
    LowerRate: ForkTraits(plain_updates=True),
    FreezeOutside: ForkTraits(needs_curvature=True),
    Jitter: ForkTraits(adds_noise=True),
    Hold: ForkTraits(needs_curvature=True),
    Exchange: ForkTraits(needs_curvature=True),
    Retune: ForkTraits(plain_updates=True),
}


def fork_traits(intervention: Fork) -> ForkTraits:
    """The traits of this intervention."""
    if isinstance(intervention, Inject):
        return ForkTraits(needs_curvature=True, plain_updates=True, pairs=intervention.rank)
    return _TRAITS[type(intervention)]


def fork_step(recipe: Recipe, parent: Run) -> int | None:
    """The step at which a fork leaves its parent.

    None where the parent diverged, has no spike, or spikes too early for a fork before the onset.
    """
    intervention = recipe.setting.intervention
    if intervention is not None and intervention.at == "end":
        return None if parent.diverged else parent.ended.step
    onset = None if intervention is None else first_onset(parent.loss, intervention.definition)
    if onset is None or intervention is None:
        return None
    step = onset - (intervention.definition.lead if intervention.at == "before_onset" else 0)
    return step if step >= 0 else None
