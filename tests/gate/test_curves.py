"""Bands of losses: quantiles of the largest loss of each stretch, against NumPy's own ways to the same numbers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.run import Ended, Run
from spikecheck.core.setting import Setting
from spikecheck.gate.curves import band


def trained(loss: list[float], steps: int) -> Run:
    whole = len(loss) == steps + 1
    ended = Ended(reason="completed" if whole else "diverged", step=len(loss) - 1)
    return Run(setting=Setting(steps=steps), seed=0, start=0, loss=np.array(loss), ended=ended)


def test_a_short_training_is_drawn_step_by_step() -> None:
    found = band([trained([3.0, 2.0, 1.0], 2), trained([5.0, 4.0, 3.0], 2), trained([9.0, 8.0, 7.0], 2)])
    assert found.steps == (0, 1, 2)
    assert (found.low, found.median, found.high) == ((3.0, 2.0, 1.0), (5.0, 4.0, 3.0), (9.0, 8.0, 7.0))


def test_a_spike_of_one_step_is_not_thinned_away() -> None:
    loss = [1.0] * 1_001
    loss[437] = 50.0
    found = band([trained(loss, 1_000)])
    assert len(found.steps) == 60
    assert set(found.median) == {1.0, 50.0}
    at = found.median.index(50.0)
    assert found.steps[at - 1] < 437 <= found.steps[at]
    assert found.steps[-1] == 1_000


def test_where_a_training_has_diverged_there_is_no_number() -> None:
    found = band([trained([1.0, 2.0], 3), trained([1.0, 1.0, 1.0, 1.0], 3), trained([1.0, 1.0, 1.0, 1.0], 3)])
    assert found.median == (1.0, 1.0, 1.0, 1.0)
    assert found.high == (1.0, 2.0, None, None)


@given(st.integers(1, 300), st.integers(1, 9), st.integers(0, 2**16))
def test_the_band_is_numpys_quantile_of_each_stretch(steps: int, seeds: int, seed: int) -> None:
    losses = np.exp(np.random.default_rng(seed).normal(size=(seeds, steps + 1)))
    found = band([trained(list(loss), steps) for loss in losses])
    edges = [0, *(step + 1 for step in found.steps)]
    for place, (left, right) in enumerate(pairwise(edges)):
        largest = losses[:, left:right].max(axis=1)
        low, median, high = (sorted(largest)[int(np.ceil(share * seeds - 1e-9)) - 1] for share in (0.1, 0.5, 0.9))
        assert (found.low[place], found.median[place], found.high[place]) == pytest.approx(
            (low, median, high), rel=1e-3
        )
