"""A training's numbers for the gate, of losses written down by hand."""

import math

import numpy as np
import pytest

from spikecheck.gate import workload_figures as figures
from spikecheck.watch.detector import NoisySpike
from spikecheck.watch.runs import Order, WorkloadRun
from spikecheck.watch.workload import Workload


def run(losses: object, *, steps: int | None = None, **about: int) -> WorkloadRun:
    values = np.asarray(losses, dtype=np.float64)
    order = Order(Workload("mlp"), 0, len(values) if steps is None else steps)
    return WorkloadRun(order, values, order.steps > len(values), 0.001, dict(about))


def spike(onset: int, over: int | None) -> NoisySpike:
    return NoisySpike(
        onset=onset, alarm=onset, peak=onset, height=9.0, level=1.0, spread=0.1, loss=2.0, rule="high", over=over
    )


def test_lost_steps_are_those_within_spikes_and_behind_a_divergence() -> None:
    assert figures.share_lost(run(np.ones(100)), []) == 0.0
    assert figures.share_lost(run(np.ones(100)), [spike(10, 20), spike(15, 30)]) == pytest.approx(0.2)
    assert figures.share_lost(run(np.ones(100)), [spike(90, None)]) == pytest.approx(0.1)
    assert figures.share_lost(run(np.ones(60), steps=100), []) == pytest.approx(0.4)


def test_spikes_are_counted_by_completed_steps() -> None:
    assert figures.spike_rate(run(np.ones(500), steps=1_000), [spike(1, 2)]) == 2.0
    assert figures.spike_rate(run([], steps=10), []) == 0.0


def test_one_loss_that_is_no_number_is_bad_and_not_the_best() -> None:
    """Regression: it counted as the smallest loss of all, 1e-12."""
    losses = np.ones(100)
    losses[50] = math.nan
    assert figures.best_loss(run(losses)) == 0.0
    assert figures.final_loss(run(losses)) == 0.0


def test_a_divergence_is_worse_than_any_finite_loss() -> None:
    assert figures.final_loss(run(np.full(60, 1e9), steps=100)) == figures.LOST_LOSS
    assert figures.final_loss(run(np.full(100, 1e9))) == figures.LOST_LOSS
    assert figures.first_loss(run([], steps=10)) == figures.LOST_LOSS


def test_steps_to_a_loss_are_those_until_the_running_median_is_there() -> None:
    losses = np.concatenate([np.ones(50), np.full(50, 0.1)])
    steps = figures.reached(run(losses), -1.0)
    assert steps == pytest.approx(np.log2(53))  # a window of five: three of them must be low
    assert figures.reached(run(losses), -2.0) == pytest.approx(np.log2(200))
    assert figures.reached(run(losses), None) is None
    assert figures.reached(run(losses), 6.0) is None


def test_tokens_are_counted_where_a_workload_says_how_many_a_step_has() -> None:
    assert figures.counted(run(np.ones(20), **{"tokens a step": 8}), 5.0, "tokens") == 8.0
    assert figures.counted(run(np.ones(20)), 5.0, "tokens") is None
    assert figures.counted(run(np.ones(20), **{"tokens a step": 8}), None, "tokens") is None
