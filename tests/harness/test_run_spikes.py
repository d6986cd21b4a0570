"""Spikes of a run: by the claim's definition, or by the detector where every loss is of a batch of its own."""

from dataclasses import replace

import numpy as np

from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.run_spikes import spikes_of
from spikecheck.watch.detector import detect
from tests.effects.trials import run

DEFINITION = SpikeDefinition(factor=3.0, settle=5)
NOISE = np.random.default_rng(0).normal(2.0, 0.1, 600)


def test_a_smooth_losss_spikes_are_those_of_the_definition_from_the_runs_start_on() -> None:
    loss = np.full(60, 1.0)
    loss[20:25] = 10.0
    (spike,) = spikes_of(run(loss, begins=100), DEFINITION)
    assert (spike.trough, spike.onset, spike.peak, spike.recovery, spike.height) == (100, 120, 120, 125, 10.0)
    assert spikes_of(run(loss), SpikeDefinition(factor=11.0)) == ()
    assert spikes_of(run(np.ones(60)), DEFINITION, loss)[0].onset == 20


def test_noisy_losses_are_asked_of_the_detector_whatever_the_definition() -> None:
    loss = NOISE.copy()
    loss[400:410] += 1.0
    noisy = replace(run(loss), noisy=True)
    (alarm,) = detect(range(600), loss)
    (spike,) = spikes_of(noisy, DEFINITION)
    assert (spike.onset, spike.peak, spike.recovery, spike.trough) == (
        alarm.onset,
        alarm.peak,
        alarm.over,
        alarm.onset - 1,
    )
    assert abs(spike.onset - 400) <= 2
    assert spike.height == alarm.loss / alarm.level
    assert spikes_of(noisy, SpikeDefinition(factor=1e6)) == (spike,)
    assert spikes_of(replace(noisy, loss=NOISE), DEFINITION) == ()


def test_above_a_level_of_nothing_the_height_is_infinite() -> None:
    loss = NOISE - 2.0
    loss[400:410] += 1.0
    (spike,) = spikes_of(replace(run(loss - loss[:390].max()), noisy=True), DEFINITION)
    assert spike.height == float("inf")
