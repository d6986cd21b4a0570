"""What is asked about a training that spiked, and what a display hears of it."""

from dataclasses import replace

import pytest

from spikecheck.core.errors import UsageError
from spikecheck.core.events import ClaimStarted, Event, StageStarted, TileAdvanced
from spikecheck.why.arms import ARMS, HALF_RATE
from spikecheck.why.question import AGAIN, FORKS, TRAINING, WAY, Question


@pytest.mark.parametrize("arms", [(HALF_RATE, HALF_RATE), (*ARMS, HALF_RATE)])
def test_two_arms_of_one_name_are_refused(arms: tuple[object, ...]) -> None:
    with pytest.raises(UsageError, match="two are called 'half the rate'; give each a name of its own"):
        Question(arms=arms)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["placebo", "second moment held"])
def test_names_of_arms_that_are_added_are_taken(name: str) -> None:
    with pytest.raises(UsageError, match=f"two are called '{name}'"):
        Question(arms=[replace(HALF_RATE, name=name)])


@pytest.mark.parametrize(("at", "within"), [(None, True), (0, True), (99, True), (100, False), (-1, False)])
def test_a_step_lies_within_the_training(at: int | None, within: bool) -> None:
    question = Question(at=at)
    if within:
        question.check_within(100)
    else:
        with pytest.raises(UsageError, match=f"--at-step {at}: the training has steps 0 to 99"):
            question.check_within(100)


def test_a_display_hears_the_stages_and_every_step() -> None:
    heard: list[Event] = []
    question = Question(arms=[HALF_RATE], observe=heard.append)
    question.announce(1_000)
    question.enter(WAY)
    question.advance(64)
    started, stage, advanced = heard
    assert isinstance(started, ClaimStarted) and isinstance(stage, StageStarted) and isinstance(advanced, TileAdvanced)
    expected = dict(started.expected)
    assert list(expected) == [TRAINING, WAY, AGAIN, FORKS]
    (whole,) = expected[TRAINING].certain.values()
    assert whole == pytest.approx(1_000 * advanced.seconds / 64)
    assert sum(expected[WAY].possible.values()) == pytest.approx(whole / 2)  # from none of the way to all of it
    assert not sum(expected[WAY].certain.values())
    assert (stage.stage, advanced.member_steps) == (WAY, 64)


def test_forks_are_certain_only_once_there_is_a_spike() -> None:
    """Regression: a training without a spike was expected to go on with forks to its last second."""
    heard: list[Event] = []
    question = Question(arms=[HALF_RATE], observe=heard.append)
    question.announce(1_000)
    question.announce_forks(300)
    before, after = (dict(event.expected) for event in heard if isinstance(event, ClaimStarted))
    assert [stage for stage, work in before.items() if sum(work.certain.values())] == [TRAINING]
    assert list(after) == [WAY, AGAIN, FORKS]
    assert all(sum(work.certain.values()) for work in after.values())
    assert after[WAY].certain[TRAINING] == pytest.approx(0.3 * before[TRAINING].certain[TRAINING])


def test_more_arms_are_expected_to_take_longer_in_proportion() -> None:
    def forks(count: int) -> float:
        heard: list[Event] = []
        Question(arms=ARMS[:count], observe=heard.append).announce(10)
        assert isinstance(heard[0], ClaimStarted)
        return sum(dict(heard[0].expected)[FORKS].all.values())

    assert forks(5) / forks(2) == pytest.approx((1 + 5) / (1 + 2))  # the placebo is forked as well
