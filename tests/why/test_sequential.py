"""The sequential test against Wald's boundaries computed by hand, and its errors by enumeration of every path."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.why import Effect
from spikecheck.why.sequential import ALPHA, FEWEST, MOST, NET, decided, p_value, wants_more


def test_the_boundary_is_walds() -> None:
    # log((1 - b) / a) / log(odds ratio of one fork): ln 19 / ln 4 = 2.12, reached at a net of 3.
    assert math.isclose(math.log(19.0) / math.log(4.0), 2.1239, rel_tol=1e-4)
    assert NET == 3


def walds(hits: tuple[bool, ...]) -> Effect:
    """The test as it stands in textbooks: likelihood ratios multiplied until one boundary is passed."""
    ratio = 1.0
    for hit in hits:
        ratio *= 0.8 / 0.2 if hit else 0.2 / 0.8
        if ratio >= 0.95 / 0.05:
            return Effect.REMOVES
        if ratio <= 0.05 / 0.95:
            return Effect.LEAVES
    return Effect.UNDECIDED


def test_every_path_of_eight_forks_is_decided_as_wald_does() -> None:
    for hits in itertools.product([False, True], repeat=MOST):
        for length in range(MOST + 1):
            assert decided(hits[:length]) is walds(hits[:length])


def test_errors_are_below_five_percent() -> None:
    for share, wrong in ((0.2, Effect.REMOVES), (0.8, Effect.LEAVES)):
        error = sum(
            math.prod(share if hit else 1.0 - share for hit in hits)
            for hits in itertools.product([False, True], repeat=MOST)
            if decided(hits) is wrong
        )
        assert 0.0 < error < 0.05


def test_the_p_value_holds_whenever_one_stops() -> None:
    """Under 20 %, the chance that p is ever at most a level is at most that level: every path of twelve forks counted."""
    for level in (0.2, 0.05, 0.005):
        ever = sum(
            math.prod(0.2 if hit else 0.8 for hit in hits)
            for hits in itertools.product([False, True], repeat=12)
            if any(p_value(hits[:n]) <= level for n in range(1, 13))
        )
        assert ever <= level


@given(st.lists(st.booleans(), max_size=MOST))
def test_forks_go_on_until_they_are_decided_and_claimed(hits: list[bool]) -> None:
    claimed = p_value(hits) * 9 <= ALPHA
    more = wants_more(hits, claimed)
    if len(hits) < FEWEST:
        assert more
    elif len(hits) >= MOST or decided(hits) is Effect.LEAVES:
        assert not more
    else:
        assert more == (decided(hits) is Effect.UNDECIDED or not claimed)
