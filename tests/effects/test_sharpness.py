"""Where the sharpness is and what moves it, of courses written down by hand."""

import numpy as np
import pytest

from spikecheck.core.setting import Setting
from spikecheck.effects import sharpness
from spikecheck.harness.claim import Trial
from tests.effects.trials import SETTING, recorded, run, trial

STEPS = np.arange(0.0, 101.0, 10.0)
ADAM = Setting(optimizer="adam", lr=0.01, beta1=0.9, steps=100)


def test_late_medians_over_two_thresholds() -> None:
    """10 in the first half, 20 at its end, 30 behind: of checkpoints 50 to 100 the median is 30."""
    course = np.where(STEPS < 50, 10.0, np.where(STEPS == 50, 20.0, 30.0))[:, None]
    found = recorded("sharpness", steps=STEPS, sharpness=course)
    assert sharpness.late_over_two(found) == pytest.approx(30.0 * 0.1 / 2)
    assert sharpness.late_over_two(found, part=1.0) == pytest.approx(20.0 * 0.1 / 2)
    adam = recorded("sharpness", setting=ADAM, steps=STEPS, sharpness=np.full((11, 1), 3_800.0))
    assert sharpness.late_over_adams(adam) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("setting", "measure"), [(SETTING, sharpness.late_over_two), (ADAM, sharpness.late_over_adams)]
)
def test_a_planted_sharpness_hovers_where_it_is_put(setting: Setting, measure: object) -> None:
    flat = recorded("sharpness", setting=setting, steps=STEPS, sharpness=np.ones((11, 1)))
    assert callable(measure)
    assert measure(sharpness.hovering_at(flat, level=1.02, noise=0.0)) == pytest.approx(1.02)
    assert measure(sharpness.hovering_at(flat, level=1.0, noise=0.05)) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("size", "balance"), [(1.0, 0.0), (np.sqrt(2.0), 1 / 3), (0.0, -1.0)])
def test_balance_is_0_where_x2_is_2_alpha_over_beta(size: float, balance: float) -> None:
    """Before the settling there is anything at all."""
    x = size * np.where(STEPS < 50, 99.0, np.sqrt(2 * 3.0 / 5.0))
    found = recorded("balance", steps=STEPS, displacement=x, sharpening=np.full(11, 3.0), steepness=np.full(11, 5.0))
    assert sharpness.balance(found, settling=50) == pytest.approx(balance)
    assert abs(sharpness.balance(sharpness.balanced(found), settling=50)) < 1 / 3


def test_flattening_and_what_is_thrown() -> None:
    found = recorded("trail", losses=np.ones(101), steps=STEPS, sharpness=np.linspace(4.0, 1.0, 11)[:, None])
    assert sharpness.flattened(found) == 0.25
    thrown = sharpness.thrown(found)
    assert sharpness.flattened(thrown) == pytest.approx(0.8)
    assert (thrown["run"].loss[10], thrown["run"].loss[-1]) == (2.0, 0.5)
    assert sharpness.flattened(sharpness.thrown(found, flatter=1.05)) == pytest.approx(1.05)


def peak_at(course: np.ndarray) -> Trial:
    """The loss peaks in step 5 of a record of 20; 2/lr is 20."""
    loss = -np.abs(np.arange(20.0) - 5.0)
    return recorded("anatomy", steps=np.arange(20.0), loss=loss, sharpness=np.stack([course, course / 2], axis=1))


def test_a_fall_is_measured_from_the_peak() -> None:
    falls = np.where(np.arange(20) < 8, 25.0, 15.0)
    assert sharpness.peak_to_fall(peak_at(falls), otherwise=60.0) == 3.0
    assert sharpness.peak_to_fall(peak_at(np.full(20, 15.0)), otherwise=60.0) == 60.0
    assert sharpness.peak_to_fall(peak_at(np.full(20, 25.0)), otherwise=60.0) == 60.0
    assert sharpness.peak_to_fall(sharpness.flat_at_the_peak(peak_at(falls)), otherwise=60.0) == 2.0


def turning(values: np.ndarray) -> Trial:
    """Two neurons that close up over eleven checkpoints, with this sharpness."""
    angles = np.pi / 2 * (1 - np.array([0, 3, 1, 5, 2, 6, 4, 8, 7, 10, 9]) / 10.0)
    rows = np.stack([np.stack([[1.0, 0.0], [np.cos(a), np.sin(a)]]) for a in angles])
    record = {"steps": STEPS, "sharpness": values[:, None], "input_weights": rows}
    return trial(run=run(records={"trail": record}))


def test_a_trend_with_alignment_is_told_from_one_with_time() -> None:
    alignment = np.array([0, 3, 1, 5, 2, 6, 4, 8, 7, 10, 9], dtype=float)
    assert sharpness.alignment_trend(turning(alignment)) == pytest.approx(1.0)
    assert sharpness.raw_alignment_trend(turning(alignment)) == pytest.approx(1.0)
    ranks = np.corrcoef(STEPS, alignment)[0, 1]
    assert sharpness.raw_alignment_trend(turning(STEPS)) == pytest.approx(ranks)
    assert sharpness.alignment_trend(turning(STEPS)) == 0.0  # the step leaves nothing of it
    assert np.isnan(sharpness.alignment_trend_of_strangers(turning(alignment)))
    own, other = turning(alignment), turning(-alignment)
    pair = Trial(own.setting, own.seed, own.trunk, own.arms, other=other)
    assert sharpness.alignment_trend_of_strangers(pair) == pytest.approx(-1.0)
    assert sharpness.alignment_trend(sharpness.sharper_when_aligned(turning(STEPS))) > 0.3
