"""The sequential test against Wald's boundaries computed by hand, and its errors by enumeration of every path."""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

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


@cache
def paths(pairs: int) -> Counter[tuple[int, float]]:
    """Every way in which so many pairs of forks can come out: in how many forks the spike is gone, and the smallest p."""
    ways = itertools.product(itertools.product([False, True], repeat=2), repeat=pairs)
    return Counter((sum(map(sum, way)), min(_after(way, n) for n in range(1, pairs + 1))) for way in ways)


def _after(way: Sequence[tuple[bool, ...]], pairs: int) -> float:
    hits, placebo = zip(*way[:pairs], strict=True)
    return p_value(hits, placebo)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.4, 0.5, 0.6, 0.9])
def test_the_p_value_holds_whenever_one_stops(share: float) -> None:
    """Of an arm that does what the placebo does, whatever share of forks has no spike: p is seldom ever at most a level."""
    chances = {(gone, p): n * share**gone * (1.0 - share) ** (12 - gone) for (gone, p), n in paths(6).items()}
    assert sum(chances.values()) == pytest.approx(1.0)
    for level in (0.2, 0.05, 0.005):
        assert sum(chance for (_, p), chance in chances.items() if p <= level) <= level


def test_the_evidence_of_a_pair_is_a_ratio_of_likelihoods() -> None:
    """90 % against 50 % for the arm's fork, and the same for the placebo's fork the other way round."""
    for hits, placebo in itertools.product(itertools.product([False, True], repeat=4), repeat=2):
        likely = np.sum(stats.bernoulli.logpmf([hits, placebo], [[0.9], [0.1]]))
        null = np.sum(stats.bernoulli.logpmf([hits, placebo], 0.5))
        assert p_value(hits, placebo) == pytest.approx(min(1.0, math.exp(null - likely)))


@given(st.lists(st.booleans(), max_size=MOST), st.lists(st.booleans(), max_size=MOST))
def test_forks_without_a_partner_are_not_compared(hits: list[bool], placebo: list[bool]) -> None:
    both = min(len(hits), len(placebo))
    assert p_value(hits, placebo) == p_value(hits[:both], placebo[:both])


@given(st.lists(st.booleans(), max_size=MOST))
def test_forks_go_on_until_they_are_decided_and_claimed(hits: list[bool]) -> None:
    claimed = p_value(hits, [False] * len(hits)) * 9 <= ALPHA
    more = wants_more(hits, claimed)
    if len(hits) < FEWEST:
        assert more
    elif len(hits) >= MOST or decided(hits) is Effect.LEAVES:
        assert not more
    else:
        assert more == (decided(hits) is Effect.UNDECIDED or not claimed)
