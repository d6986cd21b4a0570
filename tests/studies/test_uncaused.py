"""Rises that no arm can remove: where they are, that forks have them, and that made forks are judged as real ones."""

from collections import Counter
from functools import partial

import pytest
import torch
from torch import nn

from spikecheck.core.errors import UnknownName
from spikecheck.core.why import Cause, Outcome
from spikecheck.tensors.random_state import seed_everything
from spikecheck.watch.replay import first_difference
from spikecheck.watch.training import Training
from spikecheck.why.arms import HALF_RATE
from spikecheck.why.fork import nudge
from studies.planted_causes import mlp as without_a_cause
from studies.uncaused_chance import NO_CAUSE, answer, table
from studies.uncaused_worlds import WORLDS, _drawn, mlp

ONSET, SEED, LENGTH = 3, 7, 20
FIRST = {"offset": ONSET, "dropout": ONSET, "displaced": ONSET}
"""The first step whose loss differs from the training without the rise."""


def made(cause: str, seed: int = SEED) -> Training:
    seed_everything(seed)
    return mlp(None, seed, "cpu", cause=cause, onset=ONSET)


def plain(seed: int = SEED) -> Training:
    seed_everything(seed)
    return without_a_cause(None, seed, "cpu")


@pytest.mark.parametrize("cause", WORLDS)
def test_a_rise_replays_bit_for_bit(cause: str) -> None:
    assert first_difference(partial(made, cause), ONSET + 2) is None
    training = made(cause)
    training.run(ONSET + 2)
    before = training.snapshot()
    losses = training.run(5)
    training.restore(before)
    assert training.run(5) == losses


@pytest.mark.parametrize("cause", FIRST)
def test_a_rise_begins_at_its_onset(cause: str) -> None:
    raised, usual = made(cause).run(ONSET + 2), plain().run(ONSET + 2)
    assert next(step for step in range(ONSET + 2) if raised[step] != usual[step]) == FIRST[cause]


def test_an_offset_changes_no_weight_and_lasts_as_long_as_it_says() -> None:
    raised = made("offset")
    high = raised.run(30)
    usual = plain()  # made after the other has run: dropout draws from the global generator
    differences = [one - other for one, other in zip(high, usual.run(30), strict=True)]
    assert differences == pytest.approx([0.0] * ONSET + [1.0] * LENGTH + [0.0] * (30 - ONSET - LENGTH), abs=1e-6)
    pairs = zip(raised.model.parameters(), usual.model.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_more_neurons_are_dropped_within_the_window_alone() -> None:
    training = made("dropout")
    shares = []
    for _ in range(ONSET + LENGTH + 2):
        training.run(1)
        shares.append(next(module.p for module in training.model.modules() if isinstance(module, nn.Dropout)))
    assert shares == [0.1] * ONSET + [0.6] * LENGTH + [0.1] * 2


def test_weights_are_displaced_by_half_of_themselves() -> None:
    weights = []
    for make in (partial(made, "displaced"), plain):
        training = make()
        training.run(ONSET + 1)
        weights.append(training.model.get_parameter("3.weight").detach())
    ratios = weights[0] / weights[1]
    spread = (
        float(ratios.quantile(0.84) - ratios.quantile(0.16)) / 2
    )  # robust: a step changes the smallest weights by more
    assert spread == pytest.approx(0.5, abs=0.05)


def test_chance_raises_three_of_four_trainings_and_other_weights_draw_anew() -> None:
    training = plain()
    before = training.snapshot()
    draws = []
    for number in range(400):
        training.restore(before)
        nudge(training, number)
        draws.append(_drawn(training.model) < 3)
    assert 0.68 < sum(draws) / len(draws) < 0.82  # three standard errors of 2.2 % each


def test_what_chance_decided_is_kept_in_the_state() -> None:
    for seed in range(20):
        training = made("chance", seed)
        training.run(ONSET + 1)
        raised = training.run(1)[0] - _ordinary(seed, ONSET + 2)[-1]
        assert raised == pytest.approx(1.0 if training.state["coin"].high else 0.0, abs=1e-6)
        if training.state["coin"].high:
            break
    else:
        pytest.fail("no seed of twenty is raised")


def _ordinary(seed: int, steps: int) -> list[float]:
    return plain(seed).run(steps)


def test_an_unknown_reason_is_refused_in_one_line() -> None:
    with pytest.raises(UnknownName, match="no cause is called 'cosmic-ray'"):
        mlp(None, 0, "cpu", cause="cosmic-ray")


def test_made_forks_that_all_spike_name_no_cause_and_chance_is_the_same_again() -> None:
    assert [answer(1.0, seed) for seed in range(3)] == [NO_CAUSE] * 3
    assert answer(0.7, 1) == answer(0.7, 1)


def test_an_arm_without_which_made_forks_spike_is_named() -> None:
    assert {answer(1.0, seed, HALF_RATE) for seed in range(3)} == {Cause.CURVATURE}


def test_made_forks_that_seldom_spike_are_chaotic() -> None:
    assert Outcome.CHAOTIC in {answer(0.2, seed) for seed in range(3)}


def test_the_table_counts_names_apart_from_their_absence() -> None:
    named = Counter({Outcome.CHAOTIC: 3, NO_CAUSE: 5, "data": 2})
    text = table({0.5: named}, {0.5: Counter({Cause.CURVATURE: 10})})
    assert "| 50 % | 10 | 3 | 5 | 2: 20.0 % (2.5 to 55.6) | 28.6 % | data 2 | 10: 100.0 % (69.2 to 100.0) |" in text
