"""How high a fork's excursion is, in forks written down by hand."""

import math

import numpy as np
import pytest

from spikecheck.core.why import HIGHEST
from spikecheck.why.heights import LATE, Reader, late_loss
from spikecheck.why.scene import LEAD, Scene

BEFORE = [float(loss) for loss in 1.0 + 0.1 * np.random.default_rng(0).normal(size=936)]
SCENE = Scene(start=936, onset=1_000, over=1_010, end=1_074, level=1.0, spread=0.1)


def fork(height: float, *, at: int = 1_000, steps: int = 10, noise: float = 0.0) -> list[float]:
    losses = 1.0 + noise * np.random.default_rng(2).normal(size=SCENE.steps)
    losses[at - SCENE.start : at - SCENE.start + steps] += height
    return [float(loss) for loss in losses]


def reader(own: float = 2.0) -> Reader:
    return Reader(BEFORE, SCENE, fork(own))


def test_a_height_is_a_mean_of_five_losses_above_the_level_in_spreads() -> None:
    assert reader().height(fork(2.0)) == pytest.approx(20.0)
    assert reader().height(fork(2.0, steps=1)) == pytest.approx(4.0)
    assert reader().height(fork(0.0)) == pytest.approx(0.0)


def test_what_is_long_before_the_onset_is_no_excursion_of_it() -> None:
    assert reader().height(fork(5.0, at=950)) == pytest.approx(0.0)


def test_a_loss_that_is_not_finite_is_as_high_as_any() -> None:
    losses = fork(0.0)
    losses[70] = math.inf
    assert reader().height(losses) == HIGHEST
    assert reader().height(fork(1e30)) == HIGHEST


def test_a_fork_in_which_the_detector_alarms_spikes() -> None:
    high, none = reader().seen(fork(2.0, noise=0.1)), reader().seen(fork(0.0, noise=0.1))
    assert high.alarms and high.spikes
    assert not none.alarms and not none.spikes


def test_so_does_one_half_as_high_as_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reader, "alarms", lambda self, losses: False)
    assert [reader(own=0.1).seen(fork(height)).spikes for height in (0.051, 0.049)] == [True, False]


def test_a_fork_is_read_without_memory_of_others() -> None:
    one = reader()
    first = one.seen(fork(0.0))
    one.seen(fork(9.0))
    assert one.seen(fork(0.0)) == first
    calm = fork(0.0, noise=0.1)
    assert [one.alarms(losses) for losses in (calm, fork(2.0, noise=0.1), calm)] == [False, True, False]


def test_the_late_loss_is_a_median_of_the_last() -> None:
    losses = [9.0] * 200 + [1.0] * (LATE - 1) + [5.0]
    assert late_loss(losses) == 1.0
    assert late_loss([*losses, math.nan]) is None
    assert late_loss([]) is None


@pytest.mark.parametrize(("noise", "resolved"), [(1.9, True), (2.1, False)])
def test_half_an_excursion_must_be_above_the_noise_before_it(noise: float, resolved: bool) -> None:
    """The run's own is 4 spreads high, and five losses before it have a mean of `noise` spreads."""
    own = fork(0.4)
    own[20:25] = [1.0 + 0.1 * noise] * 5
    assert Reader(BEFORE, SCENE, own).resolves is resolved


def test_what_rises_in_the_last_steps_before_the_onset_is_no_noise() -> None:
    own = fork(0.4)
    own[64 - LEAD : 64] = [1.4] * LEAD
    assert Reader(BEFORE, SCENE, own).resolves


def test_without_steps_before_the_onset_there_is_no_noise() -> None:
    scene = Scene(start=1_000, onset=1_000, over=1_010, end=1_074, level=1.0, spread=0.1)
    assert Reader(BEFORE, scene, [1.4] * 10 + [1.0] * 64).resolves


def test_what_is_seen_is_told_with_the_losses() -> None:
    losses = fork(2.0, noise=0.0)
    seen = reader().seen(losses)
    assert seen.losses == losses
    assert seen.height == pytest.approx(20.0)
    assert seen.late == 1.0


def test_just_half_the_runs_own_height_is_a_spike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heights of 4 and 2 in powers of two, so that the half is exact."""
    monkeypatch.setattr(Reader, "alarms", lambda self, losses: False)
    scene = Scene(start=936, onset=1_000, over=1_010, end=1_074, level=0.0, spread=1.0)
    own, half = ([0.0] * 64 + [height] * 10 + [0.0] * 64 for height in (4.0, 2.0))
    assert Reader(BEFORE, scene, own).seen(half).spikes


def test_a_spike_before_the_fork_is_none_of_the_forks() -> None:
    before = list(BEFORE)
    before[500:510] = [3.0] * 10
    assert not Reader(before, SCENE, fork(2.0)).alarms(fork(0.0, noise=0.1))


def test_a_spike_that_begins_where_the_fork_does_is_the_forks() -> None:
    scene = Scene(start=936, onset=936, over=946, end=1_010, level=1.0, spread=0.1)
    losses = fork(9.0, at=936, noise=0.1)
    assert Reader(BEFORE, scene, losses).alarms(losses)


def test_where_a_fork_begins_at_the_onset_its_first_loss_counts() -> None:
    scene = Scene(start=1_000, onset=1_000, over=1_010, end=1_074, level=1.0, spread=0.1)
    losses = [6.0] + [1.0] * 73
    assert Reader(BEFORE, scene, losses).height(losses) == pytest.approx(10.0)


def test_five_losses_have_a_height_and_four_have_none() -> None:
    scene = Scene(start=1_000, onset=1_000, over=1_005, end=1_005, level=1.0, spread=0.1)
    heights = [Reader(BEFORE, scene, [2.0] * count).height([2.0] * count) for count in (4, 5)]
    assert heights == [0.0, pytest.approx(10.0)]


def test_means_are_of_five_losses_at_the_ends_too() -> None:
    """Of losses below zero, a mean over fewer that is divided by five would be high."""
    scene = Scene(start=936, onset=1_000, over=1_010, end=1_074, level=-10.0, spread=1.0)
    assert Reader(BEFORE, scene, [-10.0] * 138).height([-10.0] * 138) == pytest.approx(0.0)
