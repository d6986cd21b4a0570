"""Crossings of a threshold, and the time until flatness."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spikecheck.measures.sharpness import crossing, steps_to_flat

TRACES = arrays(np.float64, st.integers(1, 30), elements=st.integers(0, 8).map(float))


def by_hand(sharpness: np.ndarray, threshold: float, until: int) -> int | None:
    """The definition, step by step."""
    means = [(one + other) / 2 for one, other in pairwise(sharpness[: until + 1])]
    rises = [step for step in range(1, len(means)) if means[step - 1] <= threshold < means[step]]
    return rises[-1] if rises else None


@given(TRACES, st.floats(0.0, 8.0), st.integers(0, 35))
def test_crossing_agrees_with_a_plain_loop(sharpness: np.ndarray, threshold: float, until: int) -> None:
    assert crossing(sharpness, threshold, until) == by_hand(sharpness, threshold, until)


@given(TRACES, st.floats(0.0, 8.0), st.integers(0, 29))
def test_what_comes_later_changes_no_crossing(sharpness: np.ndarray, threshold: float, until: int) -> None:
    assert crossing(sharpness, threshold, until) == crossing(sharpness[: until + 1], threshold, until)


def test_an_alternation_across_the_threshold_is_no_crossing() -> None:
    rising = np.linspace(1.0, 4.0, 31)
    swinging = rising + 1.5 * (-1.0) ** np.arange(31)
    assert crossing(rising, 2.52, until=30) == 15
    assert crossing(swinging, 2.52, until=30) == 15


@given(TRACES, st.data(), st.floats(0.0, 9.0))
def test_steps_to_flat_is_the_first_flat_step_from_the_peak(
    sharpness: np.ndarray, data: st.DataObject, threshold: float
) -> None:
    loss = data.draw(arrays(np.float64, len(sharpness), elements=st.integers(0, 9).map(float)))
    waited = int(steps_to_flat(loss, sharpness, threshold))
    from_peak = sharpness[list(loss).index(max(loss)) :]
    assert (from_peak[:waited] >= threshold).all()
    assert from_peak[waited] < threshold if (from_peak < threshold).any() else waited == len(sharpness)


@pytest.mark.parametrize(("threshold", "steps"), [(10.0, 0.0), (6.0, 1.0), (2.0, 4.0)])
def test_steps_to_flat_by_hand(threshold: float, steps: float) -> None:
    """The last one is censored: flatness never comes, so the delay is longer than any that the record could show."""
    assert steps_to_flat(np.array([1.0, 5.0, 3.0, 2.0]), np.array([9.0, 9.0, 5.0, 4.0]), threshold) == steps


def test_a_loss_that_grows_to_the_end_of_its_record_is_no_short_delay() -> None:
    """The negative control of `stabilisation` does this; the steps left used to be returned, and passed for a delay of 1."""
    assert steps_to_flat(np.arange(60.0), np.full(60, 9.0), 2.0) == 60.0
