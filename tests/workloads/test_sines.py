"""The workload sines: setting A's training as a torch module, and why its loss spikes."""

from itertools import pairwise

import numpy as np
import pytest

from spikecheck import SETTING_A, Laboratory, SpikeDefinition
from spikecheck.core.recipe import Recipe
from spikecheck.core.why import Answer, Cause, Effect
from spikecheck.measures.spikes import spikes
from spikecheck.watch.runs import Order
from spikecheck.watch.workload import Workload
from spikecheck.why.arms import CLIPPED, HALF_RATE, LEFT_OUT, OTHER_BATCHES
from spikecheck.why.direction_arms import second, top
from spikecheck.why.explain import explain_order
from spikecheck.why.question import Question
from workloads.sines import sines

STEPS = SETTING_A.steps


@pytest.fixture(scope="module")
def seeded() -> tuple[int, np.ndarray]:
    """A seed whose training spikes, and its losses."""
    for seed in range(8):
        losses = np.array(sines(None, seed, "cpu").run(STEPS))
        if any(spike.recovery for spike in spikes(losses, SpikeDefinition())):
            return seed, losses
    raise AssertionError("none of eight seeds spikes")


def test_it_is_the_laboratorys_training(seeded: tuple[int, np.ndarray]) -> None:
    """The harness trains members of an ensemble with formulas of its own: a second implementation."""
    seed, losses = seeded
    recipe = Recipe(setting=SETTING_A, seed=seed)
    run = Laboratory(device="cpu").runs([recipe])[recipe]
    assert losses[:500] == pytest.approx(run.loss[:500], rel=1e-6)


@pytest.fixture(scope="module")
def answer(seeded: tuple[int, np.ndarray]) -> Answer:
    seed, losses = seeded
    spike = next(spike for spike in spikes(losses, SpikeDefinition()) if spike.recovery)
    order = Order(Workload.of("sines"), seed, spike.peak + 150)
    arms = (LEFT_OUT, OTHER_BATCHES, HALF_RATE, CLIPPED, top(), second())
    return explain_order(order, None, Question(spike.onset, arms), workers=1)


def test_the_paper_s_spike_is_explained_by_the_curvature_and_not_by_the_data(answer: Answer) -> None:
    assert answer.cause == Cause.CURVATURE, answer.sentence
    assert answer.signs.unstable
    placebo = answer.arm("placebo")
    assert placebo.hits == len(placebo.forks)
    assert answer.arm("half the rate").claimed
    for name in ("batches left out", "other batches"):  # there is one batch: its forks are placebos
        assert answer.arm(name).effect is Effect.LEAVES


def test_without_motion_along_v_1_it_is_gone_and_without_that_along_v_2_it_comes(answer: Answer) -> None:
    assert answer.arm("v_1 left out").effect is Effect.REMOVES
    assert answer.arm("v_2 left out").effect is Effect.LEAVES


def test_consecutive_seeds_differ() -> None:
    runs = [sines(None, seed, "cpu").run(3) for seed in range(3)]
    assert all(one != other for one, other in pairwise(runs))
