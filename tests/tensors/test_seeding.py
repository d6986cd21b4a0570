"""Seeds of draws: fixed for ever, and different for every purpose."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from spikecheck.tensors.seeding import generator_of, seed_of

PURPOSES = st.lists(st.one_of(st.integers(), st.text(max_size=8), st.none(), st.booleans()), max_size=3)


def test_seeds_are_what_stored_runs_were_made_with() -> None:
    """The first 63 bits of a SHA-256 of the JSON: changing this orphans every stored run."""
    assert seed_of(7, "batches", 20) == int(hashlib.sha256(b'[7,"batches",20]').hexdigest()[:16], 16) // 2


@given(st.integers(0, 2**31), PURPOSES, st.integers(0, 2**31), PURPOSES)
def test_different_seeds_or_purposes_have_different_generators(
    one: int, purposes: list[object], two: int, others: list[object]
) -> None:
    same = (one, repr(purposes)) == (two, repr(others))
    assert (seed_of(one, *purposes) == seed_of(two, *others)) == same
    assert 0 <= seed_of(one, *purposes) < 2**63


def test_a_generator_repeats() -> None:
    draws = [generator_of(3, "noise").get_state() for _ in range(2)]
    assert bool((draws[0] == draws[1]).all())
