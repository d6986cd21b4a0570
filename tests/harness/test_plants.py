"""Planted trials: what was planted is there, and nothing else has changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.run import Array
from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.plants import aligned, with_loss, with_record, with_run, with_weights
from tests.effects.trials import recorded, run, trial, weights


def mean_cosine(rows: Array) -> float:
    """Mean |cos| of all pairs, by the definition."""
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return float(np.mean([abs(one @ other) for i, one in enumerate(units) for other in units[:i]]))


@given(st.integers(0, 200), st.integers(2, 12), st.integers(2, 4), st.floats(0.3, 0.99))
def test_weights_are_turned_until_their_mean_cosine_is_as_wanted_and_keep_their_lengths(
    seed: int, neurons: int, inputs: int, wanted: float
) -> None:
    rows = np.random.default_rng(seed).normal(size=(neurons, inputs))
    turned = aligned(rows, wanted)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(rows, axis=1))
    if mean_cosine(rows) >= wanted:
        assert turned is rows
    else:
        assert mean_cosine(turned) == pytest.approx(wanted, abs=1e-6)


def test_opposite_neurons_are_turned_to_opposite_ends_of_one_line() -> None:
    rows = np.array([[1.0, 0.2], [-1.0, 0.3], [0.9, -0.4]])
    turned = aligned(rows, 0.999)
    assert turned[0] @ turned[1] < 0 < turned[0] @ turned[2]


def test_another_run_stands_in_the_arms_place_alone() -> None:
    found = trial(one=run((1.0, 0.5)), two=run((1.0, 0.4)))
    other = run((3.0, 2.0))
    changed = with_run(found, "one", other)
    assert changed["one"] is other and changed["two"] is found["two"] and changed.trunk is found.trunk
    assert found["one"] is not other


def test_arrays_of_a_record_are_replaced_by_name() -> None:
    found = recorded("trail", steps=[0.0, 1.0], sharpness=[3.0, 4.0])
    changed = with_record(found, "run", "trail", sharpness=np.array([9.0, 9.0]))["run"].records["trail"]
    assert (changed["steps"].tolist(), changed["sharpness"].tolist()) == ([0.0, 1.0], [9.0, 9.0])
    assert found["run"].records["trail"]["sharpness"].tolist() == [3.0, 4.0]


def test_a_planted_loss_has_its_own_spikes() -> None:
    calm = trial(run=run(np.full(60, 1.0), spiked=True))
    planted = np.full(60, 1.0)
    planted[20:25] = 10.0
    changed = with_loss(calm, "run", planted, SpikeDefinition(factor=3.0, settle=5))["run"]
    assert [(spike.onset, spike.peak, spike.recovery) for spike in changed.spikes] == [(20, 20, 25)]
    assert changed.loss is planted


def test_weights_at_one_landmark_are_replaced_and_others_stay() -> None:
    before = {"start": weights([[1.0, 0.0]]), "end": weights([[0.0, 1.0]])}
    found = trial(run=run((1.0, 0.5), start=before["start"], end=before["end"]))
    changed = with_weights(found, "run", "end", np.array([[5.0, 5.0]]))["run"].snapshots
    assert changed["end"].input_weights.tolist() == [[5.0, 5.0]]
    assert changed["end"].output_weights is before["end"].output_weights
    assert changed["start"] is before["start"]
