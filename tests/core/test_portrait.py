"""A portrait's window: where a training step lies in it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.portrait import Portrait
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike

EMPTY = np.zeros(0)


def portrait(first: int, length: int) -> Portrait:
    steps = np.arange(first, first + length, dtype=np.float64)
    return Portrait(
        setting=Setting(),
        seed=0,
        spike=Spike(trough=30, onset=40, peak=52, recovery=70, height=9.0),
        before=33,
        after=89,
        threshold=20.0,
        steps=steps,
        loss=steps,
        sharpness=steps[:, None],
        growth=steps,
        swing=np.ones(1),
        cosines=(EMPTY, EMPTY),
        alignment=(0.0, 0.0),
        twins=(),
        fit=None,
    )


@given(st.integers(0, 500), st.integers(1, 60), st.integers(-20, 700))
def test_a_step_has_the_index_of_the_nearest_one_in_the_window(first: int, length: int, step: int) -> None:
    shown = portrait(first, length)
    assert shown.at(step) == int(np.abs(shown.steps - step).argmin())


def test_the_function_is_shown_before_the_spike_at_its_peak_and_after_it() -> None:
    assert list(portrait(20, 100).moments.items()) == [("before", 33), ("peak", 52), ("after", 89)]
