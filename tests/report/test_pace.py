"""How much is done, and how long the rest takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikecheck.core.work import Expected, total
from spikecheck.report.pace import _SHOWING, _UNMEASURED, Pace


class Clock:
    """Time as a test sets it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def training(seconds: float) -> Expected:
    return Expected({"training": seconds})


def working(pace: Pace, clock: Clock, seconds: int, speed: float, kind: str = "training") -> None:
    """Work for some seconds of the clock, each worth `speed` seconds of a typical core."""
    for _ in range(seconds):
        clock.now += 1.0
        pace.advance(speed, kind)


def bounds(pace: Pace) -> tuple[float, float]:
    left = pace.time_left
    assert left is not None
    return left.least, left.most


def middle(pace: Pace) -> float:
    left = pace.time_left
    assert left is not None
    return left.seconds


def test_nothing_is_said_before_anything_is_done_and_then_less_and_less_wide_bounds() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("all", training(1_000.0))])
    widths: list[float] = []
    for second in range(31):
        left = pace.time_left
        assert (left is None) == (second < 3)
        if left is not None:
            assert left.least <= left.seconds <= left.most
            assert left.least <= 1_000 + _SHOWING - second <= left.most
            widths.append(left.most / left.least)
        working(pace, clock, 1, 1.0)
    assert len(widths) == 28
    assert all(one >= two for one, two in pairwise(widths))
    assert widths[0] > 4 > widths[3]


@pytest.mark.parametrize("speed", [0.1, 1.0, 30.0])
def test_the_estimate_follows_the_machines_speed(speed: float) -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("one", training(500 * speed)), ("two", training(500 * speed))], [training(1_000 * speed)])
    pace.plan({"training": 500 * speed})
    working(pace, clock, 400, speed)
    assert middle(pace) == pytest.approx(1_600, rel=0.1)
    assert pace.share == pytest.approx(0.2, abs=0.01)


def test_a_kind_that_was_done_before_takes_as_long_again() -> None:
    """Regression: in a gate, trainings took three times as long as probes of the same expected time.

    The reference's trainings and probes were then expected to take the average. The closed form: 30 x 3 + 60 x 0.2 seconds.
    """
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("gate", Expected({"training": 60.0, "finish": 120.0}))])
    working(pace, clock, 90, 1 / 3)
    working(pace, clock, 12, 5.0, "finish")
    assert middle(pace) == pytest.approx(30 * 3 + 60 * 0.2, rel=0.2)


def test_a_kind_that_was_never_done_is_known_within_wide_bounds() -> None:
    """Regression: after a quick comparison 208 seconds were shown for the 494 that the trainings took."""
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("gate", Expected({"comparison": 20.0, "training": 40.0}))])
    working(pace, clock, 20, 1.0, "comparison")
    least, most = bounds(pace)
    assert least <= 40 / _UNMEASURED + _SHOWING
    assert most >= 40 * _UNMEASURED
    assert most > 4 * least  # so that no single number is shown


def test_what_results_may_add_lies_within_the_bounds() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("reference", Expected({"training": 100.0}, {"training": 50.0}))])
    working(pace, clock, 80, 1.0)
    least, most = bounds(pace)
    assert least <= 20 + _SHOWING
    assert most >= 20 + 2 * 50


def test_a_slow_beginning_is_no_forecast() -> None:
    """Regression: workers took seconds to load, and 25 minutes were shown for the 50 seconds that were left.

    At the speed of the beginning 92 seconds are left, and 9 at that of a typical core: the estimate lies between.
    """
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("all", training(10.0))])
    working(pace, clock, 8, 0.1)
    assert middle(pace) == pytest.approx(50, rel=0.4)


def test_later_work_weighs_more() -> None:
    """What was expected of it may be wrong by any factor, and load changes: after a while it shows."""
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("quick", training(60.0)), ("slow", training(60.0))])
    working(pace, clock, 60, 1.0)
    pace.enter("slow")
    pace.plan({"training": 60.0})
    working(pace, clock, 60, 0.2)
    left = (60 - 12) / 0.2
    assert left / 2 < middle(pace) < 2 * left


def test_between_two_reports_the_seconds_count_down_to_the_half() -> None:
    """Regression: the time without a report counted as slow work, and what was left grew until the next one."""
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("all", training(140.0))])
    working(pace, clock, 100, 1.0)
    least, most = bounds(pace)
    clock.now += 5.0
    assert bounds(pace) == pytest.approx((least - 5.0, most - 5.0))
    clock.now += 500.0
    assert bounds(pace) == pytest.approx(((least + _SHOWING) / 2, (most + _SHOWING) / 2))


def test_pauses_are_no_work() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("all", training(100.0))])
    pace.pause()
    clock.now += 500.0
    pace.resume()
    working(pace, clock, 50, 1.0)
    assert middle(pace) == pytest.approx(50 + _SHOWING, rel=0.1)


def left(pace: Pace) -> tuple[float, float]:
    """The certain and the possible work left, of whatever kind."""
    certain = [pace._here, *(later.certain for later in pace._after)]
    possible = [one.possible for one in (*pace._stages.values(), *pace._after)]
    return sum(total(*certain).values()), sum(total(*possible).values())


def test_what_is_done_early_is_taken_from_the_stages_to_come_and_then_from_later_claims() -> None:
    pace = Pace(Clock())
    stages = {"reference": training(10.0), "search": training(6.0), "map": training(5.0), "reach": training(4.0)}
    pace.expect(list(stages.items()), [training(4.0), training(6.0)])
    pace.enter("search")
    assert left(pace)[0] == 15 + 10
    pace.advance(7.0, early=True)
    assert left(pace)[0] == 5 + 3 + 10
    pace.enter("map")
    assert left(pace)[0] == 5 + 3 + 10
    pace.advance(5.0, early=True)
    assert left(pace)[0] == 5 + 8
    pace.advance(9.0, early=True)
    assert left(pace)[0] == 5


def test_a_stage_begun_puts_an_end_to_those_before_it() -> None:
    pace = Pace(Clock())
    pace.expect([("reference", Expected({"training": 10.0}, {"training": 5.0})), ("search", training(20.0))])
    pace.enter("reference")
    pace.advance(10.0)
    assert left(pace) == (20, 5)
    pace.enter("control")  # a stage that was not announced
    assert left(pace) == (20, 5)
    pace.enter("reference")  # another look
    pace.plan({"training": 8.0})
    pace.advance(2.0)
    assert left(pace) == (20, 3)
    pace.enter("search")
    assert left(pace) == (20, 0)
    pace.finish_claim()
    assert left(pace) == (0, 0)


def test_a_call_that_needs_more_than_was_expected_counts_in_full() -> None:
    pace = Pace(Clock())
    pace.expect([("reference", Expected({"training": 10.0, "jitter": 1.0}))])
    pace.plan({"training": 25.0})
    assert left(pace)[0] == 26
    pace.advance(20.0)
    assert left(pace)[0] == 6


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
                pace.plan({"training": seconds})
            case "enter":
                pace.enter("a" if seconds > 100 else "b")
            case "expect":
                pace.expect([("a", training(seconds)), ("b", training(1.0))], [training(seconds)])
            case _:
                pace.advance(seconds, early=what == "early")
        assert before <= pace.share <= 1.0
        before = pace.share


@dataclass(frozen=True)
class Piece:
    """A piece of planted work: its stage, kind, expected seconds, and the seconds that it takes."""

    stage: int
    kind: str
    work: float
    clock: float


def planted(rng: np.random.Generator) -> tuple[list[tuple[str, Expected]], list[Piece]]:
    """A command whose kinds of work are up to three times as fast or slow as expected, on a machine of any speed.

    In every stage something possible is expected: none, some or all of it comes.
    """
    machine = np.exp(rng.uniform(-1, 2))
    slowness = {kind: machine * np.exp(rng.uniform(-log(3), log(3))) for kind in ("training", "jitter", "finish")}
    stages, pieces = [], list[Piece]()
    for stage in range(rng.integers(1, 5)):
        certain = {kind: rng.exponential(10.0) for kind in slowness if rng.random() < 0.8}
        possible = {kind: seconds / 4 for kind, seconds in certain.items()}
        stages.append((str(stage), Expected(certain, possible)))
        more = rng.uniform(0, 2)
        for kind, seconds in certain.items():
            work = rng.multinomial(40, np.ones(20) / 20) / 40 * (seconds + more * possible[kind])
            pieces += [Piece(stage, kind, one, one * slowness[kind]) for one in work]
    return stages, pieces


def shown(stages: Sequence[tuple[str, Expected]], pieces: Sequence[Piece]) -> list[tuple[float, ...]]:
    """The bounds after every second of a planted command, and the time that it still took."""
    clock, rows = Clock(), list[tuple[float, ...]]()
    pace = Pace(clock)
    pace.expect(stages)
    end = sum(piece.clock for piece in pieces) + _SHOWING
    done = 0.0
    for piece in pieces:
        pace.enter(str(piece.stage))
        done += piece.clock
        while clock.now + 1.0 < done:
            clock.now += 1.0
            if pace.time_left is not None:
                rows.append((*pace.time_left, end - clock.now))
        before, clock.now = clock.now, done
        pace.advance(piece.work, piece.kind)
        clock.now = before
    return rows


def test_nine_of_ten_estimates_of_planted_commands_are_right() -> None:
    """Right: within a factor of two or two seconds. An estimate is given where the bounds are at most a factor of 4 apart."""
    rng = np.random.default_rng(0)
    rows = np.array([row for _ in range(100) for row in shown(*planted(rng))])
    least, estimate, most, true = rows.T
    given = (most <= 2 * estimate) & (least >= estimate / 2)
    right = (np.abs(estimate - true) <= 2) | ((true / 2 <= estimate) & (estimate <= 2 * true))
    assert right[given].mean() > 0.9
    assert given.mean() > 0.5
    within = (least - 2 <= true) & (true <= most + 2)
    assert within[~given].mean() > 0.75


def test_claims_to_come_are_less_certain_than_this_one_and_many_less_than_few() -> None:
    """Of one kind, measured for long; the errors of claims are independent, so those of many cancel."""
    widths: list[float] = []
    for here, later in ((400.0, []), (0.0, [400.0]), (0.0, [25.0] * 16)):
        clock = Clock()
        pace = Pace(clock)
        pace.expect([("all", training(60.0 + here))], [training(seconds) for seconds in later])
        working(pace, clock, 60, 1.0)
        least, most = bounds(pace)
        widths.append(most / least)
    alone, few, many = widths
    assert alone < many < few


def test_what_claims_to_come_may_add_is_no_certain_work() -> None:
    """Regression: it counted as certain, and a single number was shown for what results decide."""
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("all", training(60.0))], [Expected({"training": 10.0}, {"training": 40.0})])
    working(pace, clock, 60, 1.0)
    least, most = bounds(pace)
    assert least <= 10.0 + _SHOWING
    assert most >= 10.0 + 2 * 40.0


def test_the_report_takes_its_time_however_fast_the_machine_trains() -> None:
    """Regression: it was scaled by the speed of trainings, and "0:00 left" was shown before the end."""
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("all", training(100.0))])
    working(pace, clock, 10, 10.0)
    assert bounds(pace) == (_SHOWING, _SHOWING)


def test_a_kind_that_was_measured_for_long_is_not_known_exactly() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.expect([("all", training(101_000.0))])
    working(pace, clock, 100_000, 1.0)
    least, most = bounds(pace)
    assert most / least > 1.25**2
