"""What verifying a claim will cost, before anything is trained: for a bar over all claims and an estimate of the time left."""

from math import prod

from spikecheck.core.recipe import Recipe
from spikecheck.harness.claim import Claim
from spikecheck.harness.domain import Map
from spikecheck.harness.plan import Plan
from spikecheck.harness.robustness import variations
from spikecheck.lab.tiles import padded, work

_SHRINKING = 3
"""Settings that a descent usually looks at."""


def expected_settings(claim: Claim, plan: Plan) -> int:
    """How many judgements the verification will make, about: each of them shows on the bar."""
    searched = plan.settings + len(claim.known) + len(plan.besides(claim))
    cells = sum(_cells(claim, asked) for asked in claim.maps) if plan.maps else 0
    return 3 + searched + _SHRINKING + cells


def expected_work(claim: Claim, plan: Plan) -> float:
    """The cost of the verification, as that of a member at the reference setting times the members, in activations.

    Settings in the domain cost more or less than the reference, and what is stored costs nothing: a weight, no promise.
    """
    judgements = expected_settings(claim, plan)
    varied = len(variations(claim)) if plan.variations else 0
    members = (3 + varied) * plan.fresh_seeds + (judgements - 3) * plan.search_seeds
    return members * _cost_of_a_member(claim)


def _cost_of_a_member(claim: Claim) -> float:
    reference = claim.domain.reference
    arms = [Recipe(setting=arm(reference), seed=0, probe=claim.probe) for arm in claim.arms.values()]
    return sum(work([recipe]) / len(padded([recipe])) for recipe in {Recipe(setting=reference, seed=0), *arms})


def _cells(claim: Claim, asked: Map) -> int:
    """Cells of a map; an axis without values of its own takes the claim's ladder."""
    axes = ((asked.x, asked.x_values), (asked.y, asked.y_values))
    return prod(len(values) if values is not None else _rungs(claim, name) for name, values in axes)


def _rungs(claim: Claim, name: str) -> int:
    ladder = claim.domain.axes.get(name)
    return len(ladder.rungs) if ladder is not None else 1 + len(claim.cutoffs) + len(claim.far_cutoffs)
