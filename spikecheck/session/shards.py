"""Divides the claims of a verification into parts, for machines that do not communicate."""

from collections.abc import Sequence

from spikecheck.core.errors import NothingSelected
from spikecheck.harness.claim import Claim
from spikecheck.harness.cost_model import expected_work
from spikecheck.harness.plan import Plan
from spikecheck.report.phrases import plural


def part_of(claims: Sequence[Claim], plan: Plan, part: int, parts: int) -> tuple[Claim, ...]:
    """The claims of part number `part`, from 1, of `parts` parts.

    Claims are assigned from the most expensive to the cheapest, each to the part with the least work so far.

    Raises:
        NothingSelected: there are more parts than claims, and none is left for this part.
    """
    loads = [0.0] * min(parts, len(claims))
    mine: set[str] = set()
    costs = {claim.id: expected_work(claim, plan) for claim in claims}
    for claim in sorted(claims, key=lambda claim: (-costs[claim.id], claim.id)):
        lightest = loads.index(min(loads))
        loads[lightest] += costs[claim.id]
        if lightest == part - 1:
            mine.add(claim.id)
    if not mine:
        verb = "leaves" if len(claims) == 1 else "leave"
        there = f"{plural(len(claims), 'claim')} {verb}"
        raise NothingSelected(f"--shard {part}/{parts}: {there} none for this part; use fewer parts")
    return tuple(claim for claim in claims if claim.id in mine)
