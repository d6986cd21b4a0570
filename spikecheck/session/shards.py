"""A verification in parts, for machines that do not know one another: which claims a part has."""

from collections.abc import Sequence

from spikecheck.core.errors import NothingSelected
from spikecheck.harness.claim import Claim
from spikecheck.harness.cost_model import expected_work
from spikecheck.harness.plan import Plan


def part_of(claims: Sequence[Claim], plan: Plan, part: int, parts: int) -> tuple[Claim, ...]:
    """The part's claims: the dearest first, each to the part with the least to do so far.

    Raises:
        NothingSelected: when there are more parts than claims and nothing is left for this one.
    """
    loads = [0.0] * parts
    mine: set[str] = set()
    costs = {claim.id: expected_work(claim, plan) for claim in claims}
    for claim in sorted(claims, key=lambda claim: (-costs[claim.id], claim.id)):
        lightest = loads.index(min(loads))
        loads[lightest] += costs[claim.id]
        if lightest == part - 1:
            mine.add(claim.id)
    if not mine:
        raise NothingSelected(f"--shard {part}/{parts}: {len(claims)} claims leave nothing for it; ask for fewer parts")
    return tuple(claim for claim in claims if claim.id in mine)
