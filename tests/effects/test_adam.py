"""What a fork of Adam does, read off forks written down by hand."""

import numpy as np
import pytest

from spikecheck.core.setting import Setting
from spikecheck.effects import adam
from spikecheck.harness.claim import Trial
from tests.effects.trials import run, trial

ADAM = Setting(optimizer="adam", lr=0.01, beta1=0.9, steps=100)


def forks() -> Trial:
    """The unchanged fork from step 40 on peaks at step 45; the curvature along its gradient is largest behind the peak."""
    record = {
        "steps": np.arange(40.0, 50.0),
        "gradient_curvature": np.array([1, 2, 3, 4, 5, 6, 900, 7, 8, 9.0]) * 1_000,
    }
    spiking = run([1, 1, 1, 2, 4, 9, 5, 2, 1, 1.0], setting=ADAM, begins=40, spiked=True, records={"anatomy": record})
    return trial(setting=ADAM, spiking=spiking, faster=run(np.ones(10), setting=ADAM, begins=40))


def test_the_curvature_counts_up_to_the_peak_only() -> None:
    """Adam's threshold is 38/lr."""
    assert adam.curvature_before_the_rise(forks()) == pytest.approx(6_000 / 3_800)


def test_a_spike_is_absent_in_the_arm_that_has_none() -> None:
    assert [adam.spike_absent(forks(), arm=arm) for arm in ("faster", "spiking")] == [1.0, 0.0]


def test_the_planted_arm_has_no_spike() -> None:
    planted = adam.without_its_spike(forks(), arm="faster")
    assert adam.spike_absent(planted, arm="faster") == 1.0
    assert planted["faster"].loss.max() == 2.0
