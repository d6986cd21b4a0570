"""Forks, round by round, and what is claimed of them: made forks whose heights are written down, nothing is trained."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from spikecheck.core.why import Cause, Effect
from spikecheck.why.arms import ARMS, PLACEBO, Arm
from spikecheck.why.executors import Job, Result
from spikecheck.why.heights import Reader, Seen
from spikecheck.why.inquiry import Inquiry, finite
from spikecheck.why.sequential import MOST
from tests.why import plain_inquiry

HIGH, LOW = 20.0, 0.0
SPIKES, GONE = [HIGH] * MOST, [LOW] * MOST
PAIR = 1.8**2
"""Evidence of a fork of an arm without the spike beside one of the placebo with it."""


class Marked(Reader):
    """A fork's losses are its height, what the detector says of it, and its late loss."""

    def __init__(self) -> None:
        """There are no losses from before."""

    def seen(self, losses: Sequence[float]) -> Seen:
        height, alarms, late = losses
        return Seen(losses, height, bool(alarms), bool(alarms) or height >= HIGH / 2, late)


class Fixed(Marked):
    """A fork without the spike is far below half of any median of the placebo's heights, and one with it has an alarm."""

    def seen(self, losses: Sequence[float]) -> Seen:
        seen = super().seen(losses)
        return replace(seen, height=-HIGH if losses[0] < HIGH else HIGH, alarms=losses[0] >= HIGH)


@dataclass
class Made:
    """Answers for forks: heights by arm and number; an arm without heights spikes always."""

    heights: dict[str, list[float]] = field(default_factory=dict)
    alarms: dict[str, float] = field(default_factory=dict)
    late: dict[str, list[float]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    rounds: list[list[tuple[str, int]]] = field(default_factory=list)
    backwards: bool = False

    def __call__(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        self.rounds.append([(job.arm.name, job.number) for job in jobs])
        for job in reversed(jobs) if self.backwards else jobs:
            yield job, self.refused.get(job.arm.name) or self.losses(job)

    def losses(self, job: Job) -> list[float]:
        name, number = job.arm.name, job.number
        late = self.late.get(name, [1.0] * MOST)[number]
        return [self.heights.get(name, SPIKES)[number], self.alarms.get(name, 0.0), late]

    @property
    def forks(self) -> dict[str, int]:
        """Of every arm, how many were made."""
        made = [name for one in self.rounds for name, _ in one]
        return {name: made.count(name) for name in made}


def arms(count: int) -> list[Arm]:
    return [Arm(f"arm {number}", "?", f"cause {number}", PLACEBO.apply) for number in range(count)]


def judged(given: Sequence[Arm], made: Made) -> Inquiry:
    inquiry = Inquiry(given, Marked(), made)
    assert inquiry.placebo() is Effect.REMOVES
    inquiry.judge_arms()
    return inquiry


@pytest.mark.parametrize(
    ("heights", "effect", "forks"),
    [
        (SPIKES, Effect.REMOVES, 3),
        (GONE, Effect.LEAVES, 3),
        ([HIGH, LOW, HIGH, HIGH, HIGH, *SPIKES], Effect.REMOVES, 5),
        ([HIGH, LOW] * 4, Effect.UNDECIDED, 8),
    ],
)
def test_the_placebo_is_forked_until_it_is_decided_whether_the_spike_comes_again(
    heights: list[float], effect: Effect, forks: int
) -> None:
    made = Made({"placebo": heights})
    assert Inquiry(arms(2), Marked(), made).placebo() is effect
    assert made.rounds == [[("placebo", 0), ("placebo", 1), ("placebo", 2)]] + [
        [("placebo", number)] for number in range(3, forks)
    ]


@pytest.mark.parametrize(("count", "forks"), [(1, 3), (2, 4), (5, 4), (6, 5), (9, 5), (17, 5), (18, 6)])
def test_one_arm_among_many_needs_as_many_forks_as_holms_correction_asks_for(count: int, forks: int) -> None:
    """n forks without the spike beside n with it have p = 1.8^-2n, times the number of arms at the first step: at most 5 %."""
    made = Made({"arm 0": GONE})
    first, *others = judged(arms(count), made).results()[1:]
    assert count * PAIR**-forks <= 0.05 and (forks == 3 or count * PAIR ** -(forks - 1) > 0.05)
    assert (first.effect, first.hits, first.claimed) == (Effect.REMOVES, forks, True)
    assert (first.p, first.p_holm) == pytest.approx((PAIR**-forks, count * PAIR**-forks), abs=1e-9)
    assert made.forks["arm 0"] == made.forks["placebo"] == forks
    for other in others:
        assert (other.effect, other.hits, other.claimed, other.p) == (Effect.LEAVES, 0, False, 1.0)
        assert made.forks[other.name] == 3


def test_the_second_smallest_p_is_tested_among_one_arm_fewer() -> None:
    """Holm's steps: six arms for the first, five for the second. After four forks 5 % need five arms or fewer."""
    made = Made({"arm 0": GONE, "arm 1": GONE})
    inquiry = judged(arms(6), made)
    one, other = inquiry.results()[1:3]
    assert (len(one.forks), len(other.forks)) == (5, 5)
    inquiry.forks["arm 1"].pop(4)
    one, other = inquiry.results()[1:3]
    assert (one.p_holm, other.p_holm) == pytest.approx((6 * PAIR**-5, 5 * PAIR**-4))
    assert one.claimed and other.claimed and 6 * PAIR**-4 > 0.05


def test_a_fork_that_disagrees_costs_an_arm_two_more() -> None:
    """It takes the evidence of one likelihood ratio away, 1.8, and divides what is left by 5."""
    made = Made({"arm 0": [LOW, HIGH, *GONE]})
    (one,) = judged(arms(9), made).results()[1:2]
    assert (one.hits, len(one.forks), one.claimed) == (6, 7, True)
    assert one.p == pytest.approx(1.8**-13 / 0.2)


def test_an_arm_that_does_what_the_placebo_does_is_not_claimed() -> None:
    """The spike is gone in four of the arm's first five forks, which decides its test, and in four of the placebo's eight."""
    placebo = [HIGH, HIGH, LOW, HIGH, HIGH, LOW, LOW, LOW]
    made = Made({"placebo": placebo, "arm 0": [LOW, LOW, HIGH, LOW, LOW, LOW, HIGH, HIGH]})
    (one,) = judged(arms(1), made).results()[1:]
    assert (one.effect, one.hits, len(one.forks), one.claimed) == (Effect.REMOVES, 5, 8, False)
    assert one.p == 1.0  # nine forks of sixteen agree: 1.8^9 0.2^7 is below 1


_TABLE = st.lists(st.integers(0, 2**MOST - 1), min_size=2, max_size=9)
"""Forks of the placebo, then of every arm: a bit each, 1 where the spike is gone."""


@given(_TABLE.map(lambda rows: [rows[0] & rows[0] >> 1 & rows[0] << 1, *rows[1:]]) | _TABLE)
@example([0, 255, 255, 0, 0, 0, 0])
@example([4, 255, 253, 255, 0])
def test_a_second_implementation_claims_the_same_arms_from_as_many_forks(rows: list[int]) -> None:
    gone = [[bool(row >> number & 1) for number in range(MOST)] for row in rows]
    names = ["placebo", *(arm.name for arm in arms(len(rows) - 1))]
    made = Made({name: [LOW if one else HIGH for one in row] for name, row in zip(names, gone, strict=True)})
    inquiry = Inquiry(arms(len(rows) - 1), Fixed(), made)
    expected = plain_inquiry.claimed(dict(zip(names[1:], gone[1:], strict=True)), gone[0])
    if inquiry.placebo() is not Effect.REMOVES:
        assert expected is None
        return
    inquiry.judge_arms()
    assert expected == ({one.name for one in inquiry.results() if one.claimed}, made.forks)


def test_an_arm_that_does_not_apply_is_neither_forked_again_nor_counted_by_holm() -> None:
    made = Made({"arm 0": GONE}, refused={"arm 3": "no schedule"})
    first, *_, last = judged(arms(4), made).results()[1:]
    assert (first.hits, first.claimed) == (4, True)
    assert first.p_holm == pytest.approx(3 * PAIR**-4)
    assert (last.effect, last.reason, last.forks, last.hits) == (Effect.NOT_APPLICABLE, "no schedule", (), 0)
    assert (last.claimed, last.p_holm, last.low, last.high, last.height) == (False, 1.0, 0.0, 1.0, None)
    assert made.forks["arm 3"] == 3


def test_an_arm_that_is_undecided_is_forked_eight_times_and_not_claimed() -> None:
    made = Made({"arm 0": [LOW, HIGH] * 4})
    (one,) = judged(arms(1), made).results()[1:]
    assert (one.effect, one.hits, len(one.forks), one.claimed) == (Effect.UNDECIDED, 4, 8, False)


@pytest.mark.parametrize(("height", "gone"), [(0.49 * HIGH, True), (0.5 * HIGH, False), (0.51 * HIGH, False)])
def test_a_fork_is_without_the_spike_below_half_the_placebos_median(height: float, gone: bool) -> None:
    """The placebo's own heights are 10, 20 and 90: their median decides, not their mean."""
    made = Made({"placebo": [HIGH / 2, HIGH, 90.0], "arm 0": [height] * MOST})
    (one,) = judged(arms(1), made).results()[1:]
    assert (one.effect is Effect.REMOVES) is gone
    assert [fork.removed for fork in one.forks] == [gone] * 3


def test_a_low_fork_in_which_the_detector_alarms_has_the_spike() -> None:
    (one,) = judged(arms(1), Made({"arm 0": GONE}, alarms={"arm 0": 1.0})).results()[1:]
    assert (one.effect, one.hits) == (Effect.LEAVES, 0)


def test_the_placebo_comes_first_and_counts_forks_with_the_spike() -> None:
    made = Made({"placebo": [HIGH, LOW, HIGH, HIGH, HIGH], "arm 0": SPIKES})
    placebo, one = judged(arms(1), made).results()
    assert (placebo.name, placebo.cause, placebo.effect, placebo.hits) == ("placebo", None, Effect.LEAVES, 4)
    assert [(fork.number, fork.spikes, fork.removed) for fork in placebo.forks] == [
        (number, number != 1, None) for number in range(5)
    ]
    assert (placebo.height, one.height) == (HIGH, HIGH)
    undecided = Inquiry(arms(1), Marked(), Made({"placebo": [HIGH, LOW] * 4}))
    undecided.placebo()
    assert undecided.results()[0].effect is Effect.UNDECIDED


def test_an_arms_share_has_clopper_and_pearsons_interval() -> None:
    made = Made({"arm 0": [LOW, HIGH, LOW, LOW, LOW, *GONE], "arm 1": GONE})
    for one in judged(arms(4), made).results()[1:3]:
        interval = stats.binomtest(one.hits, len(one.forks)).proportion_ci(0.95, "exact")
        assert (one.low, one.high) == pytest.approx((interval.low, interval.high))


def test_the_cost_is_how_much_higher_the_median_late_loss_is_than_the_placebos() -> None:
    late = {"placebo": [1.0, 2.0, 9.0], "arm 0": [5.0, 2.5, 2.0]}
    (one,) = judged(arms(1), Made({"arm 0": GONE}, late=late)).results()[1:]
    assert one.cost == pytest.approx(0.5)
    assert Inquiry(arms(1), Marked(), Made()).results()[1].cost is None


def test_forks_that_come_in_another_order_are_judged_by_their_numbers() -> None:
    heights = {"arm 0": [LOW, HIGH, LOW, LOW, LOW, *GONE]}
    ordered, backwards = (judged(arms(2), Made(heights, backwards=way)).results() for way in (False, True))
    assert ordered == backwards


def test_after_the_deadline_no_fork_is_counted_behind_one_that_is_missing() -> None:
    """Forks come backwards, and the first of them after the deadline: its number is 2, and 0 and 1 are missing."""
    made = Made(backwards=True)
    inquiry = Inquiry(arms(1), Marked(), made, deadline=time.monotonic() - 1.0)
    assert inquiry.placebo() is Effect.UNDECIDED
    assert inquiry.stopped
    inquiry.judge_arms()
    assert made.rounds == [[("placebo", 0), ("placebo", 1), ("placebo", 2)]]
    assert [len(one.forks) for one in inquiry.results()] == [0, 0]


def test_before_the_deadline_nothing_is_stopped() -> None:
    inquiry = Inquiry(arms(1), Marked(), Made({"arm 0": GONE}), deadline=time.monotonic() + 1e6)
    inquiry.placebo()
    inquiry.judge_arms()
    assert not inquiry.stopped and inquiry.results()[1].claimed


def test_a_result_says_what_its_arm_asks_and_recommends() -> None:
    one = judged(ARMS, Made()).results()[1]
    arm = ARMS[0]
    assert (one.name, one.question, one.cause, one.remedy) == (arm.name, arm.question, Cause.DATA, arm.remedy)
    assert one.forks[0].losses == (HIGH, 0.0, 1.0) and one.forks[0].late == 1.0


@pytest.mark.parametrize(("loss", "shown"), [(1.234567, 1.2346), (math.inf, None), (-math.inf, None), (math.nan, None)])
def test_a_report_has_five_digits_of_a_loss_or_none(loss: float, shown: float | None) -> None:
    assert finite(loss) == shown
