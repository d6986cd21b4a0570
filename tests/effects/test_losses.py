"""What is read off losses, of losses written down by hand."""

import numpy as np
import pytest

from spikecheck.core.setting import Setting
from spikecheck.core.spike import SpikeDefinition
from spikecheck.effects import losses
from spikecheck.harness.claim import Trial
from spikecheck.measures import spikes
from tests.effects.trials import run, trial

ADAM = Setting(optimizer="adam", lr=0.01, beta1=0.9, steps=100)
LATE = np.where(np.arange(101) == 80, 100.0, np.where(np.arange(101) == 10, 1e6, 1.0))
"""A peak of a hundred late, and a larger one early."""


def adam(curvature: float = 1_000.0) -> Trial:
    """The losses above, with a curvature that halves behind step 80."""
    steps = np.arange(0.0, 101.0, 10.0)
    record = {"steps": steps, "gradient_curvature": np.where(steps <= 80, curvature, curvature / 2)}
    return trial(setting=ADAM, run=run(LATE, setting=ADAM, records={"trail": record}))


def test_counts_and_ratios() -> None:
    assert losses.spike_count(trial(run=run(spiked=True))) == 1.0
    assert [losses.spiked(trial(run=run(spiked=spiked))) for spiked in (True, False)] == [1.0, 0.0]
    falling = trial(run=run([2.0, 3.0, 8.0, 1.0]))
    assert losses.early_rise(falling, early=2) == 1.5
    assert losses.early_rise(falling, early=3) == 4.0
    assert losses.loss_left(falling) == 0.5


def test_a_late_peak_is_told_from_an_early_one() -> None:
    assert losses.late_peak(adam()) == pytest.approx(2.0)
    assert losses.late_peak(adam(), part=1.0) == pytest.approx(6.0)


def test_curvature_at_the_peak_is_compared_with_adams_threshold() -> None:
    """Its threshold is (2 + 2 beta1)/((1 - beta1) lr) = 38/lr."""
    found = losses.curvature_before_the_peak(adam(), part=0.5, within=1_000)
    assert found == pytest.approx(1_000.0 / (38.0 / 0.01))
    assert losses.curvature_fall_at_the_peak(adam(), part=0.5, within=1_000) == pytest.approx(np.log(2.0))
    assert np.isnan(losses.curvature_fall_at_the_peak(adam(), part=0.5, within=5))


def test_a_planted_spike_is_seen_as_one() -> None:
    flat = trial(run=run(np.ones(101)))
    planted = losses.with_a_spike(flat)
    assert losses.spike_count(planted) == len(spikes(planted["run"].loss, SpikeDefinition())) == 1
    assert losses.late_peak(losses.late_spike(adam())) == pytest.approx(np.log10(20.0 * 100.0))
    assert losses.curvature_before_the_peak(losses.late_spike(adam()), part=0.5, within=1_000) == pytest.approx(2.0)


def test_half_a_turn_moves_a_late_peak_and_keeps_every_loss() -> None:
    turned = losses.half_a_turn_late(adam())
    assert sorted(turned["run"].loss) == sorted(LATE)
    assert int(np.argmax(turned["run"].loss[50:])) == (30 + 51 // 2) % 51
