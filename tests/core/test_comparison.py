"""A comparison fails where something that passed before no longer does, and nowhere else."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.comparison import Comparison, Kind, Line

KINDS = st.lists(st.sampled_from(get_args(Kind)), max_size=6)


@given(KINDS)
def test_the_code_is_1_exactly_where_something_regressed(kinds: list[Kind]) -> None:
    lines = tuple(Line(f"claim {number}", kind, "before", "after") for number, kind in enumerate(kinds))
    assert Comparison("old.json", "new.json", lines).code == (1 if "regressed" in kinds else 0)
