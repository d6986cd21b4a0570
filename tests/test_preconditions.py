"""Every precondition on a trial that just meets it and on one that just fails to."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from spikecheck import preconditions
from spikecheck.harness.claim import Trial
from tests.effects.test_ascent import climbing
from tests.effects.test_curvature import KNOWING, told
from tests.effects.test_frequency import descent
from tests.effects.test_generalisation import ERRORS, FAMILY, nets
from tests.effects.test_sharpening import LINE, path, trace
from tests.effects.trials import SPIKE, recorded, run, trial


def spiking(run_spikes: bool, twin_spikes: bool, loss: float = 0.001) -> Trial:
    ends = [1.0, loss]
    return trial(run(spiked=run_spikes), spiking=run(ends, spiked=run_spikes), calm=run(ends, spiked=twin_spikes))


@pytest.mark.parametrize(
    ("run_spikes", "twin_spikes", "alone"), [(1, 0, True), (1, 1, False), (0, 0, False), (0, 1, False)]
)
def test_only_one_of_two_spikes(run_spikes: int, twin_spikes: int, alone: bool) -> None:
    found = spiking(bool(run_spikes), bool(twin_spikes))
    assert preconditions.every_run(found)
    assert preconditions.spikes(found) == bool(run_spikes)
    assert preconditions.only_one_spikes(found) == alone
    assert preconditions.fitted_after_spikes(found, below=0.01, twin="calm") == alone
    assert not preconditions.fitted_after_spikes(found, below=0.001, twin="calm")


def test_a_spike_recovers_or_not() -> None:
    assert preconditions.recovers(trial(run=run(spiked=True)))
    assert not preconditions.recovers(trial(run=run()))
    lasting = replace(run(spiked=True), spikes=(replace(SPIKE, recovery=None),))
    assert not preconditions.recovers(trial(run=lasting))


def test_losses_are_compared_with_the_first() -> None:
    found = trial(run([2.0, 0.5, 0.9]), a=run([2.0, 0.5, 0.9]), b=run([2.0, 1.9, 1.9]))
    assert preconditions.trained(found) and not preconditions.trained(found, left=0.45)
    assert preconditions.fitted(found, arms=("a",), below=1.0) and not preconditions.fitted(found, arms="ab", below=1.0)
    assert preconditions.all_fall(found, left=0.96) and not preconditions.all_fall(found, left=0.95)


def fitting(found: Trial, loss: float) -> Trial:
    """All arms with this loss at the end."""
    return replace(found, arms={name: replace(arm, loss=np.array([1.0, loss])) for name, arm in found.arms.items()})


def test_nets_that_fit_must_differ_on_what_is_held_out() -> None:
    pair = fitting(nets({"bad": 0.3, "good": 0.1}), 0.05)
    variance = float(pair.problem().y.var())
    assert preconditions.fitted_unlike(pair, bad="bad", good="good", below=0.06)
    assert not preconditions.fitted_unlike(pair, bad="bad", good="good", below=0.05)
    assert not preconditions.fitted_unlike(pair, bad="good", good="bad", below=0.06)
    assert preconditions.fitted_labels_unlike(pair, below=0.051 / variance)
    assert not preconditions.fitted_labels_unlike(pair, below=0.049 / variance)


def test_a_family_must_lie_apart_somewhere() -> None:
    family = fitting(nets(ERRORS), 0.0005)
    assert preconditions.fitted_apart(family, arms=FAMILY, below=0.001)
    assert not preconditions.fitted_apart(family, arms=FAMILY, below=0.0005)
    assert not preconditions.fitted_apart(family, arms=FAMILY, below=0.001, apart=1e9)


@pytest.mark.parametrize(("first", "last", "holds"), [(15.9, 0.4, True), (16.1, 0.4, False), (15.9, 0.6, False)])
def test_a_sharpness_is_driven_from_below(first: float, last: float, holds: bool) -> None:
    """2/lr is 20."""
    found = recorded("sharpness", losses=[1.0, last], sharpness=[[first], [20.0]])
    assert preconditions.driven(found, left=0.5, below=0.8) == holds


@pytest.mark.parametrize(("first", "holds"), [(19.9, False), (20.1, True), (39.9, True), (40.1, False)])
def test_a_start_lies_between_two_thresholds(first: float, holds: bool) -> None:
    assert preconditions.starts_between(recorded("trail", sharpness=[[first]]), lowest=2.0, highest=4.0) == holds


def just(condition: Callable[[int], bool]) -> int:
    """The largest whole number from 1 to 60 for which a condition holds; 0 if there is none."""
    return max((number for number in range(1, 61) if condition(number)), default=0)


def test_steps_before_and_in_an_ascent_are_counted() -> None:
    """The sharpness of `climbing` is above 2/lr from step 30 on, and the loss peaks at 50."""
    crossed = int(np.argmax(np.linspace(10.0, 30.0, 60) > 20.0))
    assert just(lambda number: preconditions.room_before_the_ascent(climbing(), shortest=number)) == crossed
    lasts = just(lambda number: preconditions.ascent_lasts(climbing(), shortest=number))
    assert lasts in {50 - crossed, 51 - crossed}


def test_both_kinds_of_step_must_be_there() -> None:
    assert just(lambda number: preconditions.tellable(told(KNOWING), fewest=number)) == 25
    calm = trial(run(), **told(KNOWING).arms)
    assert not preconditions.tellable(calm, fewest=1)


def test_steps_on_both_sides_are_counted() -> None:
    lr_times = np.linspace(1.0, 3.0, 60)
    fewer = min(int(((lr_times > 2.02) & (lr_times <= 2.15)).sum()), int(((lr_times >= 1.7) & (lr_times < 1.98)).sum()))
    seen = just(lambda number: preconditions.seen_on_both_sides(climbing(), band=0.01, fewest=number, small=20.0))
    assert seen == fewer


def turning(growth: float) -> Trial:
    """A swing of alternating sign: its size falls from `growth` to 1 at step 20 and is `growth` again at the onset, 40."""
    ends = np.array([growth, 1.0, growth])
    swing = np.exp(np.interp(np.arange(60.0), [0, 20, 39], np.log(ends)))[:, None] * (-1.0) ** np.arange(60)[:, None]
    return recorded("anatomy", spiked=True, steps=np.arange(60.0), swing=swing)


def test_a_motion_must_grow_far_after_its_turn() -> None:
    assert preconditions.turns(turning(1e4), growth=100.0)
    assert not preconditions.turns(turning(50.0), growth=100.0)


def fork(found: Trial, spiked: bool = True) -> Trial:
    return replace(found, trunk=run(spiked=spiked))


def test_a_window_must_have_enough_steps_after_the_peak() -> None:
    """400 steps with the peak at step 10, so 389 come after it."""
    assert preconditions.window_reaches(fork(descent(10.0, 40.0)), behind=389)
    assert not preconditions.window_reaches(fork(descent(10.0, 40.0)), behind=390)
    assert not preconditions.window_reaches(fork(descent(10.0, 40.0), spiked=False), behind=1)
    assert preconditions.comes_down(fork(descent(10.0, 40.0)), steps=20, behind=60)
    growing = np.interp(np.arange(400.0), [10, 30, 100], [1.0, 2.0, 0.0])[:, None, None] * np.ones((400, 64, 1))
    grown = recorded("anatomy", loss=-np.abs(np.arange(400.0) - 10.0), outputs=growing)
    assert not preconditions.comes_down(fork(grown), steps=20, behind=60)
    assert not preconditions.comes_down(fork(descent(10.0, 40.0)), steps=20, behind=390)


def test_a_crossing_needs_steps_before_it() -> None:
    assert just(lambda number: preconditions.seen_to_cross(path(LINE), window=number, below=0.9)) == 27
    assert not preconditions.seen_to_cross(trial(run(), **path(LINE).arms), window=1, below=0.9)


@pytest.mark.parametrize(("final", "spiked", "calm"), [(39.0, False, True), (41.0, False, False), (39.0, True, True)])
def test_half_way_to_the_edge_there_must_be_no_spike(final: float, spiked: bool, calm: bool) -> None:
    """The sharpness grows linearly to `final` over 100 steps; if that is 40, it is 2/lr at step 50. The spike is at 40."""
    assert preconditions.still_calm(trace(final, spiked), read=0.3 if spiked else 0.5) == calm
    assert not preconditions.still_calm(trace(1.0, True), read=0.5)
