"""A training run until it spikes, with the states that its forks need."""

import pytest

from spikecheck.watch.replay import _same
from spikecheck.why.ring import EVERY, Ring, watched_run
from spikecheck.why.scene import BENIGN_AFTER, LONGEST, scene_of
from tests.why.planted_spikes import AT, planted


def test_two_states_and_the_first_are_kept() -> None:
    training = planted(None, 0, "cpu")
    ring = Ring(training)
    for _ in range(4):
        training.run(10)
        ring.keep()
    assert [ring.before(step).steps for step in (0, 9, 29, 30, 39, 40, 99)] == [0, 0, 0, 30, 30, 40, 40]
    again = planted(None, 0, "cpu")
    again.run(30)
    assert _same(ring.before(35).values, again.snapshot().values)


@pytest.mark.parametrize("plant", ["batches", "nothing"])
def test_losses_are_those_of_the_plain_training_and_every_step_is_told(plant: str) -> None:
    training, ticks = planted(None, 0, "cpu", plant=plant), list[int]()
    run = watched_run(training, 700, Ring(training), None, ticks.append)
    plain = planted(None, 0, "cpu", plant=plant).run(700)
    assert list(run.losses) == plain[: len(run.losses)]
    assert sum(ticks) == len(run.losses) == training.steps


def test_it_ends_when_the_spike_and_what_its_forks_need_are_over() -> None:
    training = planted(None, 0, "cpu", plant="batches")
    ring = Ring(training)
    run = watched_run(training, 5_000, ring, None, lambda made: None)
    (spike,) = run.spikes
    assert abs(spike.onset - AT) <= 2
    scene = scene_of(spike, len(run.losses))
    assert scene.end == scene_of(spike, 5_000).end
    assert scene.end + BENIGN_AFTER <= len(run.losses) <= spike.onset + LONGEST + 64
    assert 0 < ring.before(scene.start).steps <= scene.start


def test_without_a_spike_all_steps_are_made_and_the_last_states_kept() -> None:
    training = planted(None, 0, "cpu")
    ring = Ring(training)
    run = watched_run(training, 3 * EVERY - 1, ring, None, lambda made: None)
    assert (len(run.losses), run.spikes) == (3 * EVERY - 1, ())
    assert [ring.before(step).steps for step in (EVERY, 3 * EVERY)] == [EVERY, 2 * EVERY]


def test_for_a_named_step_states_are_kept_before_it_and_the_run_goes_on_behind_it() -> None:
    training = planted(None, 0, "cpu")
    ring = Ring(training)
    run = watched_run(training, 5_000, ring, 700, lambda made: None)
    assert ring.before(5_000).steps == 2 * EVERY
    assert 700 + LONGEST < len(run.losses) < 700 + 4 * LONGEST
