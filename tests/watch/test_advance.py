"""Steps are counted once, and time ends them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.errors import BudgetSpent
from spikecheck.watch.advance import Advance


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 100))))
def test_new_steps_add_up_to_the_most_that_were_told(told: list[tuple[int, int]]) -> None:
    made = [0, 0, 0]

    def add(place: int, new: int) -> None:
        assert new > 0
        made[place] += new

    advance = Advance(3, None, add)
    for place, steps in told:
        advance(place, steps)
    assert made == [max((steps for where, steps in told if where == place), default=0) for place in range(3)]


def test_a_deadline_that_has_passed_stops() -> None:
    with pytest.raises(BudgetSpent, match="the same command continues"):
        Advance(1, time.monotonic() - 1, lambda place, new: None)(0, 5)


def test_before_the_deadline_nothing_stops() -> None:
    Advance(1, time.monotonic() + 60, lambda place, new: None)(0, 5)
