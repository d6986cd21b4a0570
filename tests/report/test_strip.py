"""Strips: what is drawn lies where the numbers are, on a line whose ends are round and named."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spikecheck.core.judgement import Outcome
from spikecheck.core.scorecard import Change, Row
from spikecheck.report.strip import Line, Strip, deciding_strip, row_strip, share_strip
from spikecheck.stats.prediction import Average, Equivalence

Make = Callable[..., Any]
FINITE = st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-9)


def read_off(strip: Strip, place: float) -> float:
    """The number at a place, from the names of the ends alone: as a reader would."""
    low, high = map(float, strip.ends)
    return low + place * (high - low)


def test_a_share_is_drawn_from_none_to_all(judgement: Make) -> None:
    strip = share_strip(judgement(Outcome.UNDECIDED))
    assert strip is not None
    assert strip.ends == ("0\u00a0%", "100\u00a0%")
    assert (strip.interval, strip.point, strip.wanted) == ((0.65, 0.83), 0.75, (0.8, 1.0))
    assert strip.says == "75 % of the seeds (65 % to 83 %); 80 % required"


def test_an_average_is_drawn_against_what_is_worth_a_claim(guarded: Make) -> None:
    found = guarded(estimand="mean").reference
    strip = deciding_strip(found, Average(above=0.0, worth=0.02))
    assert strip is not None
    effect = found.effect
    drawn = [read_off(strip, place) for place in (*strip.interval, strip.point, strip.wanted[0])]
    assert drawn == pytest.approx([effect.mean_low, effect.mean_high, effect.mean, 0.02], abs=1e-9)
    assert strip.wanted[1] == 1.0
    assert "no effect at 0; at least 0.02 worth a claim" in strip.says


def test_an_equivalence_is_wanted_between_its_limits(guarded: Make) -> None:
    strip = deciding_strip(guarded(estimand="equivalence").reference, Equivalence(at_least=-0.1, at_most=0.1))
    assert strip is not None
    assert [read_off(strip, place) for place in strip.wanted] == pytest.approx([-0.1, 0.1], abs=1e-9)
    assert "at least -0.1 required; at most 0.1 required" in strip.says


def test_an_average_below_a_limit_is_wanted_on_the_left(guarded: Make) -> None:
    strip = deciding_strip(guarded(estimand="mean").reference, Average(below=0.0, worth=0.1))
    assert strip is not None
    assert strip.wanted[0] == 0.0
    assert read_off(strip, strip.wanted[1]) == pytest.approx(-0.1, abs=1e-9)


def test_without_numbers_there_is_nothing_to_draw(guarded: Make, unreached: Any) -> None:
    assert share_strip(unreached) is None
    few = guarded(Outcome.UNTRIGGERED, Outcome.UNTRIGGERED, "mean").reference
    assert deciding_strip(few, Average(above=0.0)) is None


@example([-896_000_002.0, -996_000_001.0])  # regression: the ends were written with three figures
@given(st.lists(FINITE, min_size=1, max_size=6))
def test_every_number_lies_on_its_line_in_order(numbers: list[float]) -> None:
    line = Line.through(numbers)
    assert line.low < min(numbers)
    assert max(numbers) < line.high
    places = [line.place(number) for number in sorted(numbers)]
    assert places == sorted(places)
    assert all(0.0 < place < 1.0 for place in places)
    low, high = map(float, line.ends)
    room = line.high - line.low
    assert low == pytest.approx(line.low, abs=0.02 * room)
    assert high == pytest.approx(line.high, abs=0.02 * room)


def test_a_row_of_the_gate_lies_about_its_margin() -> None:
    row = Row(
        name="spikes", unit="per 1,000 steps", candidate=2.0, reference=1.0, difference=1.0, low=0.7, high=None,
        margin=0.5, p_worse=0.01, p_better=1.0, pairs=16, change=Change.WORSE,
    )  # fmt: skip
    strip = row_strip(row)
    assert [read_off(strip, place) for place in strip.wanted] == pytest.approx([-0.5, 0.5], abs=1e-9)
    assert read_off(strip, strip.interval[0]) == pytest.approx(0.7, abs=1e-9)
    assert strip.interval[1] == 1.0, "what has no bound goes to the end"
    assert strip.says == "difference +1, interval +0.7 to without bound, margin 0.5"
