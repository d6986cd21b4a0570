"""A planted portrait: a spike whose every step is known, without a training."""

from dataclasses import replace
from typing import Any

import numpy as np

from spikecheck.core.portrait import Fit, Portrait, Twin
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike

ONSET, PEAK, RECOVERY, SETTLE = 260, 265, 270, 20


def planted(*, neurons: int = 3, **changes: Any) -> Portrait:
    """Steps 110 to 329 of a training; the loss is 0.1 but for a spike of height 0.5."""
    steps = np.arange(110.0, 330.0)
    loss = 0.1 + 0.4 * np.exp(-(((steps - PEAK) / 3.0) ** 2))
    x = np.linspace(-1.0, 1.0, 40)
    outputs = np.array([np.sin(x) + value for value in loss])
    weights = np.random.default_rng(0).normal(size=(neurons, 2))
    unit = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    cosines = np.abs(unit @ unit.T)
    twins = (
        Twin("through the spike", steps[70:], loss[70:], 0.625),
        Twin("calm twin, lr / 4", steps[70:], np.full(len(steps) - 70, 0.1), 0.5),
    )
    portrait = Portrait(
        setting=Setting(),
        seed=7,
        spike=Spike(200, ONSET, PEAK, RECOVERY, 5.0),
        before=ONSET - 80,
        after=RECOVERY + SETTLE - 1,
        threshold=20.0,
        steps=steps,
        loss=loss,
        sharpness=np.full((len(steps), 12), 21.0),
        growth=np.full(len(steps), 1.1),
        swing=np.geomspace(1.0, 1e-4, 12),
        cosines=(cosines, cosines),
        alignment=(0.4, 0.6),
        twins=twins,
        fit=Fit(x, np.sin(x), outputs),
    )
    return replace(portrait, **changes)


def without_neurons() -> Portrait:
    """Of a model that has no layer of neurons, and of several inputs."""
    none = np.empty((0, 0))
    twins = tuple(replace(twin, alignment=None) for twin in planted().twins)
    return planted(cosines=(none, none), alignment=(0.0, 0.0), twins=twins, fit=None)
