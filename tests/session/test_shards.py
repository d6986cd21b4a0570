"""Parts of a verification: together they cover all claims, and their work is about equal."""

import pytest

from spikecheck.core.errors import NothingSelected
from spikecheck.harness.cost_model import expected_work
from spikecheck.harness.discover import discover
from spikecheck.harness.plan import plan_of
from spikecheck.session.shards import part_of

CLAIMS = tuple(discover(()).claims.values())
PLAN = plan_of("quick", 0)


@pytest.mark.parametrize("parts", [1, 2, 5, len(CLAIMS)])
def test_parts_are_the_whole_each_claim_once(parts: int) -> None:
    divided = [part_of(CLAIMS, PLAN, part, parts) for part in range(1, parts + 1)]
    assert sorted(claim.id for part in divided for claim in part) == sorted(claim.id for claim in CLAIMS)


@pytest.mark.parametrize("parts", [2, 5])
def test_no_part_has_more_work_than_another_by_more_than_one_claim(parts: int) -> None:
    """What assigning to the lightest part guarantees; Graham (1969)."""
    loads = [sum(expected_work(c, PLAN) for c in part_of(CLAIMS, PLAN, part, parts)) for part in range(1, parts + 1)]
    assert max(loads) - min(loads) <= max(expected_work(claim, PLAN) for claim in CLAIMS)


def test_the_order_of_the_claims_does_not_matter() -> None:
    ids = [{claim.id for claim in part_of(claims, PLAN, 2, 3)} for claims in (CLAIMS, CLAIMS[::-1])]
    assert ids[0] == ids[1]


def test_a_part_without_claims_is_refused() -> None:
    with pytest.raises(NothingSelected, match="--shard 3/3: 2 claims leave none for this part; use fewer parts"):
        part_of(CLAIMS[:2], PLAN, 3, 3)
    with pytest.raises(NothingSelected, match="--shard 5/9: 1 claim leaves none for this part; use fewer parts"):
        part_of(CLAIMS[:1], PLAN, 5, 9)
