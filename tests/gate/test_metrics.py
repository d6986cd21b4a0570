"""Every metric of a training by hand, and at the edges of its range."""

import math
from collections.abc import Mapping

import numpy as np
import pytest

from spikecheck.core.run import Ended, Run, Snapshot
from spikecheck.core.setting import Setting
from spikecheck.core.spike import Spike
from spikecheck.gate import metrics
from spikecheck.gate.metrics import COST_MEASURES, EDGES, MEASURES, MEMORY, TIME

STEPS = 200


def run_of(
    losses: Mapping[int, float] | None = None,
    *,
    spikes: tuple[Spike, ...] = (),
    diverged_at: int | None = None,
    finish: Mapping[str, list[float]] | None = None,
) -> Run:
    """A training of 200 steps with a loss of 1, except where another is given."""
    ended = Ended("completed", STEPS) if diverged_at is None else Ended("diverged", diverged_at)
    loss = np.ones(ended.step + (diverged_at is None))
    for step, value in (losses or {}).items():
        loss[step] = value
    records = {} if finish is None else {"finish": {name: np.array(values) for name, values in finish.items()}}
    return Run(Setting(steps=STEPS), 0, 0, loss, ended, spikes, {}, records)


def spike(onset: int, recovery: int | None, height: float = 10.0) -> Spike:
    return Spike(trough=onset - 1, onset=onset, peak=onset + 1, recovery=recovery, height=height)


def test_spikes_are_counted_per_thousand_steps_that_were_completed() -> None:
    assert metrics.spike_rate(run_of()) == 0.0
    assert metrics.spike_rate(run_of(spikes=(spike(50, 60), spike(100, 110)))) == 10.0
    assert metrics.spike_rate(run_of(spikes=(spike(50, None),), diverged_at=100)) == 10.0
    assert metrics.spike_rate(run_of(spikes=(spike(0, None),), diverged_at=1)) == 1_000.0
    assert metrics.spike_rate(run_of(diverged_at=0)) == 0.0


def test_the_worst_spike_is_the_highest_and_a_divergence_is_higher_than_any() -> None:
    two = (spike(50, 60, height=100.0), spike(100, 110, height=10.0))
    assert metrics.worst_height(run_of()) == 0.0
    assert metrics.worst_height(run_of(spikes=two)) == pytest.approx(2.0)
    assert metrics.worst_height(run_of(spikes=(spike(50, 60, height=1e40),))) == 12.0
    assert metrics.worst_height(run_of(spikes=two, diverged_at=150)) == 12.0


def test_steps_are_lost_within_spikes_and_after_a_divergence() -> None:
    assert metrics.share_lost(run_of()) == 0.0
    assert metrics.share_lost(run_of(spikes=(spike(50, 60), spike(100, 130)))) == pytest.approx(40 / STEPS)
    assert metrics.share_lost(run_of(spikes=(spike(180, None),))) == pytest.approx(20 / STEPS)
    assert metrics.share_lost(run_of(spikes=(spike(80, None),), diverged_at=100)) == pytest.approx(120 / STEPS)
    assert metrics.share_lost(run_of(diverged_at=0)) == 1.0
    assert metrics.share_lost(run_of(spikes=(spike(0, 150), spike(0, 150)))) == 1.0


def test_a_divergence_counts_once_and_as_spiking() -> None:
    calm, spiked, lost = run_of(), run_of(spikes=(spike(50, 60),)), run_of(diverged_at=100)
    assert [metrics.diverged(run) for run in (calm, spiked, lost)] == [0.0, 0.0, 1.0]
    assert [metrics.spiking(run) for run in (calm, spiked, lost)] == [0.0, 1.0, 1.0]


def test_the_final_loss_is_the_median_of_the_last_twentieth() -> None:
    """201 losses have a last twentieth of 10: six of them are the median's side."""
    late = dict.fromkeys(range(STEPS - 9, STEPS + 1), 1e-3)
    assert metrics.final_loss(run_of(late)) == pytest.approx(-3.0)
    assert metrics.final_loss(run_of(dict.fromkeys(range(STEPS - 3, STEPS + 1), 1e-3))) == 0.0
    assert metrics.final_loss(run_of(dict.fromkeys(range(STEPS - 100, STEPS - 9), 1e-3))) == 0.0
    assert metrics.final_loss(run_of(late, diverged_at=None, spikes=(spike(50, 60),))) == pytest.approx(-3.0)
    assert metrics.final_loss(run_of(diverged_at=150)) == 6.0


def test_a_training_of_few_losses_ends_with_its_last() -> None:
    run = Run(Setting(steps=2), 0, 0, np.array([1.0, 1.0, 100.0]), Ended("completed", 2))
    assert metrics.final_loss(run) == pytest.approx(2.0)


def test_the_best_loss_is_the_smallest() -> None:
    assert metrics.best_loss(run_of({100: 1e-4})) == pytest.approx(-4.0)
    assert metrics.best_loss(run_of(diverged_at=0)) == 6.0, "no loss at all"


@pytest.mark.parametrize(("loss", "logarithm"), [(0.0, -12.0), (-1.0, -12.0), (1e-30, -12.0), (1e9, 6.0), (0.1, -1.0)])
def test_logarithms_stay_within_their_range(loss: float, logarithm: float) -> None:
    assert metrics.best_loss(run_of({50: loss}) if loss < 1.0 else run_of(dict.fromkeys(range(STEPS + 1), loss))) == (
        pytest.approx(logarithm)
    )


def test_a_test_loss_is_of_held_out_points_if_there_are_any() -> None:
    assert metrics.test_loss(run_of()) is None
    assert metrics.test_loss(run_of(finish={"early": [0.5]})) is None
    assert metrics.test_loss(run_of(finish={"test_loss": [0.01, 5.0]})) == pytest.approx(-2.0)
    assert metrics.test_loss(run_of(finish={"test_loss": [0.01]}, diverged_at=100)) == 6.0


def test_the_early_edge_is_the_sharpest_update_over_its_threshold() -> None:
    """A multiplier of 1 is at the threshold, of -1 without curvature: for gradient descent it is 2 lambda / (2 / lr) - 1."""
    assert metrics.early_edge(run_of()) is None
    assert metrics.early_edge(run_of(finish={"early": []})) is None
    assert metrics.early_edge(run_of(finish={"early": [0.0, 1.0, -1.0]})) == 0.0
    assert metrics.early_edge(run_of(finish={"early": [0.0, -0.5]})) == pytest.approx(-1.0)
    assert metrics.early_edge(run_of(finish={"early": [3.0]})) == pytest.approx(1.0)
    assert metrics.early_edge(run_of(finish={"early": [-1.0]})) == -12.0
    assert metrics.early_edge(run_of(finish={"early": [1e9]})) == pytest.approx(math.log2(5.5))


def test_the_late_edge_is_the_median_reversal() -> None:
    assert metrics.late_edge(run_of()) is None
    assert metrics.late_edge(run_of(finish={"early": [1.0]})) is None
    assert metrics.late_edge(run_of(finish={"late": [0.25, 0.5, 9.0]})) == 0.5
    assert metrics.late_edge(run_of(finish={"late": [11.0]})) == 10.0


def test_the_spread_is_one_minus_the_mean_cosine_of_two_neurons_or_more() -> None:
    def ends_with(weights: list[list[float]]) -> Run:
        end = Snapshot(STEPS, np.zeros(1), np.array(weights), np.zeros((len(weights), 1)))
        whole = run_of()
        return Run(whole.setting, 0, 0, whole.loss, whole.ended, (), {"end": end})

    assert metrics.spread(run_of()) is None
    assert metrics.spread(ends_with([[1.0, 0.0]])) is None
    assert metrics.spread(ends_with([[1.0, 0.0], [-2.0, 0.0]])) == pytest.approx(0.0)
    assert metrics.spread(ends_with([[1.0, 0.0], [0.0, 1.0]])) == pytest.approx(1.0)


def test_margins_are_those_that_were_chosen_before_any_gate() -> None:
    """docs/reference/gate.md has them: a margin that moves changes what every gate calls the same."""
    page = {measure.name: measure.margin for measure in (*MEASURES, *COST_MEASURES)}
    assert page == {
        "spikes": 0.5,
        "worst spike": 0.3,
        "steps lost": 0.02,
        "diverged": 0.02,
        "spiking": 0.02,
        "final loss": 0.1,
        "best loss": 0.1,
        "test loss": 0.1,
        "early edge": 0.14,
        "late edge": 0.05,
        "spread": 0.05,
        "time a step": 0.58,
        "memory": 0.05,
    }


def test_which_rows_raise_alarms_count_and_may_lack() -> None:
    everything = (*MEASURES, *COST_MEASURES)
    assert {measure.name for measure in everything if not measure.alarms} == {"spread"}
    assert {measure.name for measure in everything if measure.law == "count"} == {"diverged", "spiking"}
    assert {measure.name for measure in everything if measure.law == "exact"} == {MEMORY[0]}
    assert {measure.name for measure in everything if measure.may_lack} == {"test loss", *EDGES, "spread"}
    assert {measure.name for measure in COST_MEASURES} == {TIME[0], MEMORY[0]}
    assert [measure.of(run_of()) for measure in COST_MEASURES] == [None, None]
