"""Alignment and effective ratio against loops over pairs."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spikecheck.measures import alignment, effective_ratio
from tests.second.asked import A, B, Case, runs
from tests.second.counting import cosine, directions, mean_cosine
from tests.second.network import Numbers

# Rows (w, b) as they come from a training: of any length that squares to a number, and none of them zero.
LENGTHS = st.floats(1e-3, 1e3)
NEURONS = st.integers(2, 12).flatmap(
    lambda neurons: st.tuples(
        arrays(np.float64, neurons, elements=st.floats(0.0, 2 * np.pi)), arrays(np.float64, neurons, elements=LENGTHS)
    )
)


def rows_of(angles: Numbers, lengths: Numbers) -> Numbers:
    return np.stack([lengths * np.cos(angles), lengths * np.sin(angles)], axis=1)


@given(NEURONS)
def test_alignment_is_the_mean_over_pairs(neurons: tuple[Numbers, Numbers]) -> None:
    rows = rows_of(*neurons)
    assert alignment(rows) == pytest.approx(mean_cosine(rows), abs=1e-12)


@given(NEURONS, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_effective_ratio_counts_directions(neurons: tuple[Numbers, Numbers], above: float) -> None:
    rows = rows_of(*neurons)
    # on the threshold itself rounding decides, here and there
    assume(all(abs(cosine(one, other) - above) > 1e-9 for one, other in combinations(rows, 2)))
    assert effective_ratio(rows, above) == pytest.approx(directions(rows, above) / len(rows), abs=1e-12)


@given(NEURONS)
def test_a_few_bundles_are_counted_as_such(neurons: tuple[Numbers, Numbers]) -> None:
    """Four directions at right angles, of which every neuron is 3 degrees off at most: cosines of 0.99 and 0.1."""
    angles, lengths = neurons
    quarter = np.floor(angles / (np.pi / 2)) * (np.pi / 2)
    rows = rows_of(quarter + np.radians(3.0) * np.sin(angles), lengths)
    assert directions(rows) == len(np.unique(quarter % (2 * np.pi)))
    assert effective_ratio(rows) == pytest.approx(directions(rows) / len(rows))


@pytest.mark.parametrize("case", [A.but(steps=250), B.but(steps=250)], ids="AB")
def test_trained_weights_are_counted_alike(case: Case) -> None:
    for run in runs(case, range(8)).values():
        rows = run.snapshots["end"].input_weights
        assert alignment(rows) == pytest.approx(mean_cosine(rows), abs=1e-12)
        assert effective_ratio(rows) == pytest.approx(directions(rows) / len(rows), abs=1e-12)
