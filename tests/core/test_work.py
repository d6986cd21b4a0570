"""Amounts of work add up kind by kind."""

from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.work import Expected, times, total

WORK = st.dictionaries(st.sampled_from(["training", "jitter", "reading"]), st.integers(0, 1_000).map(float))


@given(st.lists(WORK))
def test_every_kind_is_added_by_itself(works: list[dict[str, float]]) -> None:
    summed = total(*works)
    assert summed == {kind: sum(work.get(kind, 0.0) for work in works) for work in works for kind in work}


@given(WORK, WORK)
def test_all_of_a_stage_is_what_is_certain_and_what_is_possible(
    certain: dict[str, float], possible: dict[str, float]
) -> None:
    assert Expected(certain, possible).all == total(certain, possible)
    assert total(certain, certain) == times(certain, 2)
