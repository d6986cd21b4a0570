"""Counts of a command's events, and what its progress says."""

import pytest

from spikecheck.core.events import (
    Busy,
    ClaimStarted,
    Event,
    RunsRead,
    StageStarted,
    TileAdvanced,
    TileStored,
    WorkDone,
    WorkPlanned,
)
from spikecheck.core.work import TRAINING, Expected
from spikecheck.report.pace import _SHOWING
from spikecheck.report.progress import Tally, clock_time, stage_says


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def told(*events: Event, clock: Clock | None = None) -> Tally:
    tally = Tally(clock or Clock())
    for event in events:
        tally.add(event)
    return tally


def test_runs_and_spikes_are_counted_whether_trained_or_read() -> None:
    tally = told(TileStored(16, 20), TileStored(4, 0), RunsRead(5), WorkPlanned(100, 1_234))
    assert (tally.trained, tally.spikes, tally.reused) == (20, 25, 1_234)
    assert tally.counts() == "25 spikes found, 20 runs trained, 1,234 reused"


def test_no_spikes_are_counted_before_any_run_was_searched_for_them() -> None:
    """Regression: `0 spikes found` while an optimizer was examined, which seeks none."""
    tally = told(StageStarted("doctor", "compared", 1, 0))
    assert tally.counts() == ""
    tally.add(TileStored(1))
    assert tally.counts() == "1 run trained, 0 reused"
    tally.add(RunsRead(0))
    assert tally.counts() == "0 spikes found, 1 run trained, 0 reused"
    assert told(RunsRead(0)).counts() == "0 spikes found"


@pytest.mark.parametrize(("total", "place"), [(1, ""), (3, "claim 2 of 3")])
def test_the_place_is_named_where_there_are_several_claims(total: int, place: str) -> None:
    tally = told(StageStarted("a", "search", 3, 16), ClaimStarted("b", 2, total))
    assert (tally.claim, tally.place, tally.stage) == ("b", place, "")


def test_a_stage_is_named_with_its_settings_and_seeds() -> None:
    assert stage_says(StageStarted("a", "search", 3, 16)) == "search, 3 settings x 16 seeds"
    assert stage_says(StageStarted("a", "reference", 1, 1)) == "reference, 1 setting x 1 seed"
    assert stage_says(StageStarted("a", "loading", 1, 0)) == "loading"


def test_other_work_is_named_until_something_is_trained() -> None:
    tally = told()
    assert tally.progress() == "starting …"
    tally.add(Busy("compiling"))
    assert tally.progress() == "compiling …"
    tally.add(TileAdvanced(1))
    assert tally.progress() == ""
    tally.add(Busy("compiling"))
    tally.add(Busy(""))
    assert tally.doing == ""


def test_the_share_is_that_of_the_expected_work_and_the_rest_takes_as_long_in_proportion() -> None:
    clock = Clock()
    expected = ClaimStarted("a", 1, 1, expected=(("reference", Expected({TRAINING: 40.0})),))
    tally = told(expected, StageStarted("a", "reference", 1, 64), WorkPlanned(1_000, 0, {TRAINING: 40.0}), clock=clock)
    assert tally.progress().startswith("0 %")
    clock.now += 20.0
    tally.add(TileAdvanced(500, seconds=20.0))
    half = f"{100 * 20 / (40 + _SHOWING):.0f} %"
    assert tally.progress().startswith(f"{half}, about 0:2")
    tally.add(Busy("compiling"))
    assert tally.progress() == f"{half}, compiling …"
    clock.now += 20.0
    tally.add(WorkDone(20.0, TRAINING))
    assert tally.progress().startswith(f"{100 * 40 / (40 + _SHOWING):.0f} %")


def test_time_is_counted_from_the_beginning() -> None:
    clock = Clock()
    tally = Tally(clock)
    clock.now += 7.5
    assert tally.elapsed == 7.5


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0, "0:00"), (59.99, "0:59"), (60.0, "1:00"), (3_599.0, "59:59"), (36_000.0, "10:00:00")]
)
def test_times_are_written_as_a_clock_does(seconds: float, said: str) -> None:
    assert clock_time(seconds) == said
