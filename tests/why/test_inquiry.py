"""Rounds of forks until every arm is decided, with planted forks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import pytest

from spikecheck.core.why import Cause, Effect
from spikecheck.why.arms import CLIPPED, HALF_RATE, LARGER_EPS, PLACEBO, Arm
from spikecheck.why.executors import Job, Result
from spikecheck.why.heights import Reader, Seen
from spikecheck.why.inquiry import Inquiry, finite
from spikecheck.why.sequential import FEWEST, MOST


class Heights(Reader):
    """Reads a fork's only loss as its height: 10 or more spikes, 15 or more raises an alarm."""

    def __init__(self) -> None:
        pass

    def seen(self, losses: Sequence[float]) -> Seen:
        height = losses[0]
        return Seen(losses, height, alarms=height >= 15.0, spikes=height >= 10.0, late=1.0 + height / 100)


@dataclass
class Planted:
    """Forks whose heights are known by arm: the last one of a list again and again, or a reason."""

    heights: dict[str, list[float] | str]
    jobs: list[tuple[str, int]] = field(default_factory=list)
    lost: int | None = None
    """How many forks are made before no more come."""

    def ask(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        for job in islice(jobs, self.lost):
            self.jobs.append((job.arm.name, job.number))
            known = self.heights[job.arm.name]
            yield job, known if isinstance(known, str) else [known[min(job.number, len(known) - 1)]]

    def made(self, arm: Arm) -> list[int]:
        return [number for name, number in self.jobs if name == arm.name]


SPIKE, CALM = [20.0], [0.0]


def inquiry(planted: Planted, *arms: Arm) -> Inquiry:
    found = Inquiry(arms, Heights(), planted.ask)
    assert found.placebo() is Effect.REMOVES
    return found


def test_a_clear_arm_takes_the_fewest_forks_and_is_claimed() -> None:
    planted = Planted({PLACEBO.name: SPIKE, HALF_RATE.name: CALM, CLIPPED.name: SPIKE})
    found = inquiry(planted, HALF_RATE)
    found.judge_arms()
    placebo, half = found.results()
    assert (placebo.effect, placebo.hits, half.effect, half.hits) == (Effect.LEAVES, FEWEST, Effect.REMOVES, FEWEST)
    assert half.claimed and half.p == half.p_holm == pytest.approx(4.0**-3)
    assert half.cause == Cause.CURVATURE and half.height == 0.0
    assert half.cost == pytest.approx(-0.2)  # late losses of 1.0 and 1.2


def test_with_more_arms_more_forks_are_needed_for_a_claim() -> None:
    """Holm's factor is 2 for the smaller of two p-values: 4^-3 x 2 is below 5 %, and 4^-3 x 4 is not."""
    others = [replace(LARGER_EPS, name=f"other {number}") for number in range(3)]
    planted = Planted({PLACEBO.name: SPIKE, HALF_RATE.name: CALM, **{other.name: SPIKE for other in others}})
    found = inquiry(planted, HALF_RATE, *others)
    found.judge_arms()
    half = found.results()[1]
    assert half.claimed and half.p_holm <= 0.05
    assert planted.made(HALF_RATE) == list(range(FEWEST + 1))
    assert all(planted.made(other) == list(range(FEWEST)) for other in others)
    assert {result.effect for result in found.results()[2:]} == {Effect.LEAVES}


def test_an_arm_that_stays_undecided_takes_the_most_forks() -> None:
    planted = Planted({PLACEBO.name: SPIKE, HALF_RATE.name: [0.0, 20.0] * 4})
    found = inquiry(planted, HALF_RATE)
    found.judge_arms()
    assert planted.made(HALF_RATE) == list(range(MOST))
    assert (found.results()[1].effect, found.results()[1].hits) == (Effect.UNDECIDED, MOST // 2)


def test_half_of_the_placebos_height_is_the_limit() -> None:
    for height, effect in ((9.9, Effect.REMOVES), (10.0, Effect.LEAVES)):
        planted = Planted({PLACEBO.name: SPIKE, HALF_RATE.name: [height]})
        found = inquiry(planted, HALF_RATE)
        found.judge_arms()
        assert found.results()[1].effect is effect


def test_an_arm_that_does_not_apply_has_its_reason_and_no_part_in_the_correction() -> None:
    planted = Planted({PLACEBO.name: SPIKE, HALF_RATE.name: CALM, CLIPPED.name: "there is no gradient"})
    found = inquiry(planted, HALF_RATE, CLIPPED)
    found.judge_arms()
    _, half, clipped = found.results()
    assert (clipped.effect, clipped.reason, clipped.forks) == (Effect.NOT_APPLICABLE, "there is no gradient", ())
    assert half.p_holm == half.p


def test_a_placebo_that_does_not_spike_is_no_placebo() -> None:
    found = Inquiry([HALF_RATE], Heights(), Planted({PLACEBO.name: CALM}).ask)
    assert found.placebo() is Effect.LEAVES
    assert found.results()[0].effect is Effect.UNDECIDED


def test_a_deadline_stops_between_two_forks_and_keeps_what_is_done() -> None:
    planted = Planted({PLACEBO.name: SPIKE, HALF_RATE.name: CALM})
    found = inquiry(planted, HALF_RATE)
    found.deadline = 0.0
    found.judge_arms()
    assert found.stopped and planted.made(HALF_RATE) == [0]
    assert found.results()[1].hits == 1 and found.results()[1].effect is Effect.UNDECIDED


def test_forks_behind_a_missing_one_do_not_count() -> None:
    found = inquiry(Planted({PLACEBO.name: SPIKE}), HALF_RATE)
    found.forks[HALF_RATE.name] = {number: Heights().seen(CALM) for number in (0, 2, 3)}
    assert found.results()[1].hits == 1
    found.forks[HALF_RATE.name][1] = Heights().seen(CALM)
    assert found.results()[1].hits == 4


@pytest.mark.parametrize(
    ("loss", "kept"), [(1.234567, 1.2346), (float("nan"), None), (float("-inf"), None), (-1e-20, -1e-20)]
)
def test_reports_have_five_digits_and_no_nan(loss: float, kept: float | None) -> None:
    assert finite(loss) == kept
