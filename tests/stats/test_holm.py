"""Holm's method, against a second implementation that steps down."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from spikecheck.stats.holm import holm, levels

SHARES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12)


@given(SHARES)
def test_holm_never_lowers_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(a >= min(1.0, p) - 1e-9 for a, p in zip(adjusted, p_values, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


@given(SHARES, st.floats(0.001, 0.5))
def test_holm_rejects_what_stepping_down_rejects(p_values: list[float], alpha: float) -> None:
    """A second implementation: reject the smallest p while it is at most alpha over those that are left."""
    left, rejected = sorted(p_values), 0
    while left and left[0] <= alpha / len(left):
        left.pop(0)
        rejected += 1
    close = [abs(a - alpha) < 1e-9 for a in holm(p_values)]
    if not any(close):
        assert sum(a <= alpha for a in holm(p_values)) == rejected


@example([0.021, 0.03], 0.04)
@given(SHARES, st.floats(0.001, 0.5))
def test_what_holm_rejects_lies_within_the_error_that_it_was_levels(p_values: list[float], alpha: float) -> None:
    for p, adjusted, level in zip(p_values, holm(p_values), levels(p_values, alpha), strict=True):
        if abs(adjusted - alpha) > 1e-9 and abs(p - level) > 1e-12:
            assert (adjusted <= alpha) == (p <= level)


@example([0.01, 0.04, 0.03], 0.05)
@example([0.025, 0.03], 0.05)
@given(SHARES, st.floats(0.001, 0.5))
def test_levels_are_holms_steps_up_to_the_one_where_it_stops(p_values: list[float], alpha: float) -> None:
    """A second implementation: all steps first, then the place at which the method stops."""
    count = len(p_values)
    order = sorted(range(count), key=lambda place: p_values[place])
    steps = [alpha / left for left in range(count, 0, -1)]
    kept = [p_values[place] > step for place, step in zip(order, steps, strict=True)]
    last = kept.index(True) if any(kept) else count - 1
    found = levels(p_values, alpha)
    assert [found[place] for place in order] == [steps[min(rank, last)] for rank in range(count)]


def test_an_adjusted_p_value_is_at_most_one_and_has_twelve_digits() -> None:
    assert holm([0.9, 0.95]) == [1.0, 1.0]
    assert holm([0.12345678901234]) == [0.123456789012]
