"""What is said at the start of a claim about the time that it and later claims take."""

import time
from collections.abc import Iterable

import pytest

from spikecheck.core.events import ClaimStarted, Event
from spikecheck.core.recipe import Recipe
from spikecheck.harness.discover import discover
from spikecheck.harness.plan import plan_of
from spikecheck.lab.execution.processes import WORTH_SECONDS
from spikecheck.lab.laboratory import Laboratory
from spikecheck.session.verify import verify_each

CLAIMS = discover(()).claims


def first_start(*ids: str) -> ClaimStarted:
    """The first claim's start event; the time is over, so that nothing is trained."""
    events: list[Event] = []
    lab = Laboratory(observe=events.append, deadline=time.monotonic())
    verify_each([CLAIMS[one] for one in ids], lab, plan_of("quick"), events.append)
    return next(event for event in events if isinstance(event, ClaimStarted))


def own(started: ClaimStarted) -> float:
    return sum(seconds for _, stage in started.expected for seconds in stage.all.values())


def later(started: ClaimStarted) -> list[float]:
    return [sum(claim.all.values()) for claim in started.after]


def test_trainings_of_an_earlier_claim_are_not_counted_again() -> None:
    """Both claims compare the same spiking runs with the same twins, in the first look at the reference."""
    alone = sum(sum(stage.certain.values()) for _, stage in first_start("spike-effect-decomposed").expected)
    (after,) = (sum(one.certain.values()) for one in first_start("condensation", "spike-effect-decomposed").after)
    assert alone > 10 and 0 < after < 0.7 * alone


def test_claims_without_common_trainings_take_their_times_together() -> None:
    own_times = [own(first_start(one)) for one in ("catapult", "real-data-low-frequency", "initial-condensation")]
    started = first_start("catapult", "real-data-low-frequency", "initial-condensation")
    assert own(started) == own_times[0]
    assert later(started) == pytest.approx(own_times[1:])


@pytest.mark.parametrize("stored", [False, True])
def test_what_is_left_to_train_is_announced_and_what_is_stored_is_not_in_it(stored: bool) -> None:
    """By it the laboratory decides whether workers are worth their start."""
    announced: list[float] = []

    class Told(Laboratory):
        def is_stored(self, recipe: Recipe) -> bool:
            return stored

        def anticipate(self, rounds: Iterable[Iterable[Recipe]], seconds: float = 0.0) -> None:
            announced.append(seconds)

    verify_each([CLAIMS["condensation"]], Told(deadline=time.monotonic()), plan_of("quick"), lambda event: None)
    (seconds,) = announced
    assert seconds == 0.0 if stored else seconds > WORTH_SECONDS
