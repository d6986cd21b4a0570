"""Observed rates compared with promised ones, against scipy."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from spikecheck.stats.counts import counted


def test_a_count_is_of_its_world_and_event_beside_what_was_promised() -> None:
    found = counted("w", "s", 5, 50, promised=0.05)
    assert (found.world, found.seen, found.times, found.rounds, found.promised) == ("w", "s", 5, 50, 0.05)


def test_a_kept_promise_is_not_called_broken_and_a_broken_one_is() -> None:
    assert not counted("w", "s", 5, 50, promised=0.05).broken
    assert counted("w", "s", 12, 50, promised=0.05).broken
    assert not counted("w", "s", 50, 50).broken


@given(st.integers(1, 400).flatmap(lambda rounds: st.tuples(st.integers(0, rounds), st.just(rounds))))
def test_the_interval_is_scipys_of_95_per_cent(counts: tuple[int, int]) -> None:
    found = counted("w", "s", *counts)
    oracle = binomtest(*counts).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=1e-9)
    assert (found.times, found.rounds, found.promised, found.broken) == (*counts, None, False)


@given(st.integers(1, 300), st.sampled_from([0.05, 0.1, 0.5]), st.data())
def test_a_promise_is_broken_where_who_keeps_it_counts_so_many_in_one_of_a_thousand(
    rounds: int, promised: float, data: st.DataObject
) -> None:
    times = data.draw(st.integers(0, rounds))
    chance = binom.sf(times - 1, rounds, promised)
    assume(abs(chance - 0.001) > 1e-9)
    assert counted("w", "s", times, rounds, promised).broken == (chance < 0.001)
