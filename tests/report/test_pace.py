"""How much is done, and how long the rest takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.report.pace import Pace


class Clock:
    """Time as a test sets it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def working(pace: Pace, clock: Clock, seconds: int, speed: float) -> None:
    """Work for some seconds of the clock, each worth `speed` seconds of a typical core."""
    for _ in range(seconds):
        clock.now += 1.0
        pace.advance(speed)


def test_no_estimate_is_given_before_it_means_something() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("all", 1_000.0)], 0.0)
    pace.plan(1_000.0)
    given = []
    for _ in range(30):
        working(pace, clock, 1, 1.0)
        given.append(pace.seconds_left is not None)
    assert given == [False] * 19 + [True] * 11


@pytest.mark.parametrize("speed", [0.1, 1.0, 30.0])
def test_the_estimate_follows_the_machines_speed(speed: float) -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("one", 500 * speed), ("two", 500 * speed)], after=1_000 * speed)
    pace.plan(500 * speed)
    working(pace, clock, 400, speed)
    assert pace.seconds_left == pytest.approx(1_600, rel=0.05)
    assert pace.share == pytest.approx(0.2, abs=0.01)


def test_a_slow_beginning_is_no_forecast() -> None:
    """Regression: workers took seconds to load, and 25 minutes were shown for the 50 seconds that were left.

    At the speed of the beginning 92 seconds are left, and 9 at the usual one: the estimate lies between.
    """
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("all", 10.0)], 0.0)
    pace.plan(10.0)
    working(pace, clock, 8, 0.1)
    assert pace.seconds_left == pytest.approx(40, rel=0.5)


def test_the_current_part_is_estimated_by_its_own_speed() -> None:
    """What was expected of it may be wrong by any factor: after a while it shows."""
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("quick", 60.0), ("slow", 60.0)], 0.0)
    pace.plan(60.0)
    working(pace, clock, 60, 1.0)
    pace.enter("slow")
    pace.plan(60.0)
    working(pace, clock, 60, 0.2)
    left = (60 - 12) / 0.2
    assert pace.seconds_left == pytest.approx(left, rel=0.25)


def test_pauses_are_no_work() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("all", 100.0)], 0.0)
    pace.pause()
    clock.now += 500.0
    pace.resume()
    pace.plan(100.0)
    working(pace, clock, 50, 1.0)
    assert pace.seconds_left == pytest.approx(50, abs=5)


def test_what_is_done_early_is_taken_from_the_stages_to_come_and_then_from_later_claims() -> None:
    pace = Pace(Clock())
    pace.expect([("reference", 10.0), ("search", 6.0), ("descent", 5.0), ("reach", 4.0)], after=10.0)
    pace.enter("search")
    assert (pace.claim_left, pace.after) == (15.0, 10.0)
    pace.advance(7.0, early=True)
    assert (pace.claim_left, pace.after) == (8.0, 10.0)
    pace.advance(5.0, early=True)
    assert (pace.claim_left, pace.after) == (5.0, 8.0)
    pace.enter("descent")
    assert pace.claim_left == 5.0
    pace.advance(9.0, early=True)
    assert (pace.claim_left, pace.after) == (5.0, 0.0)


def test_a_stage_begun_puts_an_end_to_those_before_it() -> None:
    pace = Pace(Clock())
    pace.expect([("reference", 10.0), ("search", 20.0), ("reach", 30.0)], after=40.0)
    pace.enter("search")
    assert pace.claim_left == 50.0
    pace.enter("control")  # a stage that was not announced
    assert pace.claim_left == 50.0
    pace.finish_claim()
    assert pace.claim_left == 0.0


@given(
    st.lists(
        st.tuples(st.sampled_from(["plan", "advance", "early", "enter", "expect"]), st.floats(0, 1e4)), max_size=40
    )
)
def test_the_share_lies_between_0_and_1_and_never_falls(events: list[tuple[str, float]]) -> None:
    pace, before = Pace(Clock()), 0.0
    for what, seconds in events:
        match what:
            case "plan":
                pace.plan(seconds)
            case "enter":
                pace.enter("a" if seconds > 100 else "b")
            case "expect":
                pace.expect([("a", seconds), ("b", 1.0)], seconds)
            case _:
                pace.advance(seconds, early=what == "early")
        assert before <= pace.share <= 1.0
        before = pace.share


def test_the_rest_of_a_claim_takes_the_speed_of_the_claim() -> None:
    """The first claim keeps two cores busy, the second one: a second of work takes half a second, then a whole one."""
    now = [0.0]
    pace = Pace(lambda: now[0])
    pace.expect([("reference", 50.0)], after=100.0)
    for _ in range(50):
        now[0] += 0.5
        pace.advance(1.0)
    pace.finish_claim()
    pace.expect([("reference", 60.0), ("search", 40.0)], after=0.0)
    for _ in range(20):
        pace.plan(1.0)
        now[0] += 1.0
        pace.advance(1.0)
    assert pace.seconds_left == pytest.approx(80.0, rel=0.1)


def test_a_claim_that_begins_while_workers_start_is_not_taken_to_be_faster() -> None:
    """The time without work before it began is not taken from its own."""
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("one", 100.0)], after=0.0)
    working(pace, clock, 20, 1.0)
    pace.pause()
    clock.now += 30.0
    pace.expect([("two", 100.0)], after=0.0)
    pace.resume()
    pace.plan(60.0)
    working(pace, clock, 50, 1.0)
    assert pace.seconds_left == pytest.approx(50 + 2.5, rel=0.02)
