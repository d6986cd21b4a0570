"""Predictions by straight lines, of sharpnesses that are straight lines, or are not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikecheck.effects import sharpening
from spikecheck.harness.claim import Trial
from tests.effects.trials import SETTING, recorded, run, trial


def path(values: Any) -> Trial:
    """The sharpness at steps 0 to 59; onset 40, and 2/lr is 20."""
    return recorded("anatomy", spiked=True, steps=np.arange(60.0), sharpness=np.asarray(values)[:, None])


LINE = 10.0 + 0.3 * np.arange(60)
"""With its neighbour it averages more than 18 from step 27 on, and more than 20 from step 33 on."""


def test_crossings_are_seen_on_the_way_to_the_onset() -> None:
    assert sharpening.passes(path(LINE), below=0.9) == (27, 33)
    assert sharpening.passes(path(np.full(60, 5.0)), below=0.9) == (None, None)


def test_a_straight_line_foretells_its_own_crossing() -> None:
    error = sharpening.crossing_error(path(LINE), window=20, below=0.9)
    assert error == pytest.approx(np.log(2.0 / 0.3 / 6))
    twice = np.where(np.arange(60) < 27, LINE, LINE[27] + 0.6 * (np.arange(60) - 27))
    _, crossed = sharpening.passes(path(twice), below=0.9)
    assert crossed is not None
    assert sharpening.crossing_error(path(twice), window=20, below=0.9) == pytest.approx(
        np.log(2.0 / 0.3 / (crossed - 27))
    )


def test_what_cannot_be_foretold_is_nan_or_the_most() -> None:
    assert np.isnan(sharpening.crossing_error(path(LINE), window=30, below=0.9))
    assert np.isnan(sharpening.crossing_error(path(np.full(60, 5.0)), window=20, below=0.9))
    falls = np.where(np.arange(60) < 27, 17.0 - 0.1 * np.arange(60), LINE)
    assert sharpening.crossing_error(path(falls), window=20, below=0.9, most=1.5) == 1.5


def test_a_strangers_rate_is_read_before_its_own_onset() -> None:
    slow = path(LINE[0] + 0.15 * np.arange(60))
    found = sharpening.crossing_error_by_a_stranger(replace(path(LINE), other=slow), window=20, below=0.9)
    assert found == pytest.approx(np.log(2.0 / 0.15 / 6))
    assert np.isnan(sharpening.crossing_error_by_a_stranger(path(LINE), window=20, below=0.9))


def test_a_planted_ramp_is_foretold() -> None:
    assert abs(sharpening.crossing_error(sharpening.a_ramp(path(LINE)), window=20, below=0.9)) < np.log(2.0)


def trace(final: float, spiked: bool) -> Trial:
    """A straight sharpness from 0 at step 0 to `final` at step 100, of a training that spikes or does not."""
    steps = np.arange(0.0, 101.0, 5.0)
    record = {"steps": steps, "sharpness": (final * steps / 100.0)[:, None]}
    return trial(run(spiked=spiked), run=run(records={"sharpness": record}))


@pytest.mark.parametrize(("final", "spiked", "right"), [(25, True, 1), (25, False, -1), (15, True, -1), (15, False, 1)])
def test_a_line_to_above_the_threshold_foretells_a_spike(final: float, spiked: bool, right: float) -> None:
    assert sharpening.foretold_rightly(trace(final, spiked), read=0.5, line=0.25) == right
    stranger = replace(trace(1.0, spiked), other=trace(final, not spiked))
    assert sharpening.foretold_by_a_stranger(stranger, read=0.5, line=0.25) == right


def test_what_is_seen_ends_where_reading_does() -> None:
    steps, values = sharpening.seen(trace(25.0, True), read=0.5)
    assert steps[-1] == 0.5 * SETTING.steps and np.allclose(values, 0.25 * steps)
    assert np.isnan(sharpening.foretold_by_a_stranger(trace(25.0, True), read=0.5, line=0.25))


@pytest.mark.parametrize("spiked", [True, False])
def test_a_tell_tale_is_read_rightly(spiked: bool) -> None:
    assert sharpening.foretold_rightly(sharpening.a_tell_tale(trace(1.0, spiked)), read=0.5, line=0.25) == 1.0
