"""The gate's simulated worlds."""

import numpy as np

from spikecheck.gate import selftest as gates


def test_a_planted_shift_is_in_its_own_row_alone() -> None:
    moved, still = (gates.planted_scores(np.random.default_rng(0), shift) for shift in (1.0, 0.0))
    assert [name for name in moved.values if moved.values[name] != still.values[name]] == [gates.ROW]
