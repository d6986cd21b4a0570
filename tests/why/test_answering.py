"""From a run's losses to an answer: what is said before any fork is made, and which losses a report shows."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from spikecheck.core.errors import UsageError
from spikecheck.core.why import Answer, ArmResult, Cause, Outcome, Signs
from spikecheck.why.answering import _SHOWN, _judged, answered
from spikecheck.why.arms import ARMS, LARGER_EPS, Arm
from spikecheck.why.executors import Job, Result
from spikecheck.why.heights import Reader
from spikecheck.why.inquiry import Inquiry
from spikecheck.why.question import Question
from spikecheck.why.ranking import ranked, ranked_of_a_fall
from spikecheck.why.returning import fall_before
from spikecheck.why.ring import Ring
from spikecheck.why.scene import Scene
from spikecheck.why.sources import OwnSource
from spikecheck.why.spikes import Run
from tests.why.planted_spikes import planted

NOISE = [1.0 + 0.0674 * (-1) ** step for step in range(600)]
"""Losses whose robust spread is 0.1."""


def answer_of(losses: list[float], first: int = 0, at: int | None = None) -> Answer:
    training = planted(None, 0, "cpu")
    return answered(Run(first, losses), Question(at=at, deadline=0.0), OwnSource(training, Ring(training)))


@pytest.mark.parametrize(("height", "forked"), [(0.5, False), (0.7, True)])
def test_a_rise_without_an_alarm_must_be_twice_the_noise(height: float, forked: bool) -> None:
    """Five losses before it have a mean of 3 spreads; the detector cannot alarm so early."""
    losses = [1.0 + 0.0674 * (-1) ** step for step in range(120)]  # spread 0.1
    losses[40:45] = [1.3] * 5
    losses[60:66] = [1.0 + height] * 6
    training = planted(None, 0, "cpu")
    question = Question(at=60, deadline=0.0)  # at most one fork
    answer = answered(Run(0, losses), question, OwnSource(training, Ring(training)))
    assert answer.spike is not None and answer.spike.onset == 60 and not answer.spike.benign
    assert (answer.outcome is Outcome.NO_SPIKE) is not forked
    assert answer.sentence.startswith("No spike at step 60:") is not forked


def test_without_a_spike_the_highest_rise_and_the_last_losses_are_reported() -> None:
    losses = [*NOISE]
    losses[350] = 1.3
    answer = answer_of(losses, first=1_000)
    assert (answer.outcome, answer.spike, answer.arms) == (Outcome.NO_SPIKE, None, ())
    assert answer.highest is not None and abs(answer.highest[0] - 1_350) <= 5
    assert answer.losses == tuple((1_000 + step, losses[step]) for step in range(600 - _SHOWN, 600))
    assert answer.sentence.startswith("No loss spike.")


def test_a_rise_of_a_few_steps_is_benign_and_needs_no_fork() -> None:
    losses = [*NOISE]
    losses[400] = 50.0
    answer = answer_of(losses)
    assert (answer.outcome, answer.others, answer.arms) == (Outcome.BENIGN, (400,), ())
    named = answer_of(losses, at=400)
    assert named.outcome is Outcome.BENIGN and named.spike is not None
    assert (named.spike.onset, named.spike.benign, named.others) == (400, True, ())
    assert named.start is None  # no fork began anywhere


def returning(*removed_by: str) -> tuple[Outcome, tuple[ArmResult, ...], bool]:
    """Of a spike that is a return: what is answered, the arms, and whether by the fall; one arm's forks have no fall."""
    draws = np.random.default_rng(0)
    scene = Scene(start=1_000, onset=1_064, over=1_192, end=1_192, level=1.0, spread=0.1)
    before = list(draws.normal(2.0, 0.1, 400))

    def losses(between: float) -> list[float]:
        return [*draws.normal(between, 0.1, 64), *draws.normal(2.0, 0.1, 128)]

    def ask(jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        for job in jobs:
            yield job, losses(2.0 if job.arm.name in removed_by else 1.0)

    own = losses(1.0)
    known = fall_before(scene, before, own)
    assert known is not None
    inquiry = Inquiry(ARMS, Reader([*before, *own[:64]], scene, own), ask)
    judged, outcome = _judged(inquiry, known[1], Signs())
    return outcome, judged.results(), judged is not inquiry


def test_where_a_spike_is_a_return_the_arm_that_removes_the_fall_names_the_cause() -> None:
    outcome, arms, by_fall = returning("other batches")
    assert (outcome, by_fall) == (Outcome.CAUSE, True)
    assert [one.cause for one in ranked_of_a_fall(arms, Signs())] == [Cause.DATA]
    assert [(one.name, one.hits) for one in arms if one.tested and one.hits] == [("other batches", 5)]
    placebo = arms[0]
    assert placebo.hits == len(placebo.forks) == 5 and all(one.height > 5.0 for one in placebo.forks)


SCENE = Scene(start=1_000, onset=1_064, over=1_192, end=1_192, level=1.0, spread=0.1)


def slingshot(*removed_by: str, add_arms: Sequence[Arm] = ARMS) -> tuple[Outcome, dict[str, ArmResult]]:
    """Of a loss that jumps by 40 spreads: what is answered, and the arms; the forks of some do not jump."""
    draws = np.random.default_rng(0)

    def losses(height: float) -> list[float]:
        return [*draws.normal(1.0, 0.1, 64), *draws.normal(1.0 + height, 0.1, 128)]

    def ask(jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        for job in jobs:
            yield job, losses(0.0 if job.arm.name in removed_by else 4.0)

    before, own = list(draws.normal(1.0, 0.1, 400)), losses(4.0)
    inquiry = Inquiry(add_arms, Reader([*before, *own[:64]], SCENE, own), ask)
    judged, outcome = _judged(inquiry, None, Signs())
    return outcome, {one.name: one for one in judged.results()}


def test_where_eps_removes_a_spike_and_half_the_rate_does_not_the_second_moment_is_held() -> None:
    outcome, arms = slingshot("eps = 1e-3", "second moment held")
    held = arms["second moment held"]
    assert (outcome, held.claimed, held.hits) == (Outcome.CAUSE, True, 5)
    assert ranked(list(arms.values()), Signs())[0].cause == Cause.DECAYED


def test_an_eps_that_stops_the_training_names_no_cause() -> None:
    outcome, arms = slingshot("eps = 1e-3")
    assert outcome is Outcome.NO_CAUSE
    assert (arms["eps = 1e-3"].claimed, arms["second moment held"].hits) == (True, 0)


def test_the_second_moment_is_held_nowhere_else() -> None:
    for removing in ((), ("half the rate", "eps = 1e-3"), ("rate held", "eps = 1e-3")):
        outcome, arms = slingshot(*removing, "second moment held")
        assert "second moment held" not in arms
        assert outcome is (Outcome.CAUSE if removing else Outcome.NO_CAUSE)
    assert "second moment held" not in slingshot("eps = 1e-3", add_arms=(LARGER_EPS,))[1]


def test_no_instability_is_named_for_a_fall() -> None:
    """Regression: clipping makes a fall shallower, and a step that was too large was named for it."""
    assert returning("clip at median", "half the rate", "eps = 1e-3")[0] is Outcome.NO_CAUSE
    outcome, arms, by_fall = returning("other batches", "clip at median")
    assert (outcome, by_fall) == (Outcome.CAUSE, True)
    assert [one.cause for one in ranked_of_a_fall(arms, Signs())] == [Cause.DATA]


def test_where_no_arm_removes_the_fall_the_answer_is_that_of_the_spike() -> None:
    outcome, arms, by_fall = returning("none of them")
    assert (outcome, by_fall) == (Outcome.NO_CAUSE, False)
    assert not any(one.claimed for one in arms)


def test_a_loss_that_is_no_number_is_shown_as_absent() -> None:
    """A report is JSON, which has no NaN."""
    losses = [*NOISE]
    losses[400] = math.nan
    assert dict(answer_of(losses).losses)[400] is None


def test_a_step_without_a_rise_is_refused_with_the_steps_that_have_one() -> None:
    losses = [*NOISE]
    losses[400] = 50.0
    with pytest.raises(UsageError, match="^--at-step 300: .* spikes begin at: 400$"):
        answer_of(losses, at=300)
