"""Planting: a recorded trial with an effect inserted by hand, for positive controls.

The claim's own measure reads the planted trial, so a measure that cannot see the effect does not find it.
"""

from dataclasses import replace

import numpy as np

from spikecheck.core.run import Array, Run
from spikecheck.core.spike import SpikeDefinition
from spikecheck.harness.claim import Trial
from spikecheck.harness.run_spikes import spikes_of
from spikecheck.measures.condensation import alignment


def with_run(trial: Trial, arm: str, run: Run) -> Trial:
    """The trial with another run in place of an arm."""
    return replace(trial, arms={**trial.arms, arm: run})


def with_record(trial: Trial, arm: str, kind: str, **arrays: Array) -> Trial:
    """The trial with some arrays of one arm replaced, in the record of the probe of this kind."""
    run = trial[arm]
    return with_run(trial, arm, replace(run, records={**run.records, kind: {**run.records[kind], **arrays}}))


def with_loss(trial: Trial, arm: str, loss: Array, definition: SpikeDefinition) -> Trial:
    """The trial with another loss [T] in one arm, and the spikes of that loss."""
    run = trial[arm]
    return with_run(trial, arm, replace(run, loss=loss, spikes=spikes_of(run, definition, loss)))


def with_weights(trial: Trial, arm: str, landmark: str, input_weights: Array) -> Trial:
    """The trial with other input weights [W, D + 1] at one landmark of one arm."""
    run = trial[arm]
    changed = replace(run.snapshots[landmark], input_weights=input_weights)
    return with_run(trial, arm, replace(run, snapshots={**run.snapshots, landmark: changed}))


def aligned(input_weights: Array, wanted: float) -> Array:
    """Input weights [W, D + 1] turned toward their principal direction until their mean |cos| is `wanted`; lengths stay.

    `wanted` is below 1. The weights are returned unchanged if their own mean |cos| is at least `wanted`.

    >>> turned = aligned(np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]), 0.9)
    >>> round(alignment(turned), 6)
    0.9
    """
    from scipy.optimize import brentq  # noqa: PLC0415 - claim files import this module; listing claims must not import scipy

    if alignment(input_weights) >= wanted:
        return input_weights
    share = brentq(lambda part: alignment(_turned(input_weights, part)) - wanted, 0.0, 1.0 - 1e-9)
    return _turned(input_weights, float(share))


def _turned(input_weights: Array, part: float) -> Array:
    """Input weights with every direction mixed with the principal one, whose weight is `part`, in [0, 1)."""
    lengths = np.linalg.norm(input_weights, axis=1, keepdims=True)
    units = input_weights / np.where(lengths > 0, lengths, 1.0)
    principal = np.linalg.svd(units, full_matrices=False)[2][0]
    signs = np.where(units @ principal < 0, -1.0, 1.0)[:, None]
    mixed = (1 - part) * units + part * signs * principal
    turned: Array = lengths * mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return turned
