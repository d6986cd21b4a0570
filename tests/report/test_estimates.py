"""Estimates in words: what decides, and what is said where there is too little to say."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.core.judgement import Effect, Judgement, Outcome
from spikecheck.report.estimates import (
    average_in_brief,
    bounded,
    brief,
    counts,
    decider,
    effect,
    requirement,
    shown_average,
    to_decide,
)
from spikecheck.stats.prediction import Average, Equivalence, Estimand, Prediction

Make = Callable[..., Any]
MEDIAN = Equivalence(at_least=-0.1, at_most=0.1, of="median")


@pytest.mark.parametrize(
    ("estimand", "rule", "which", "shown"),
    [
        ("share", Prediction(above=0.0), "share", "mean"),
        ("mean", Average(above=0.0), "mean", "mean"),
        ("median", Average(above=0.0, of="median"), "median", "median"),
        ("equivalence", Equivalence(at_least=-0.1, at_most=0.1), "mean", "mean"),
        ("equivalence", MEDIAN, "median", "median"),
        ("equivalence", None, "mean", "mean"),
    ],
)
def test_what_decides_and_which_average_stands_beside_it(
    average: Make, estimand: str, rule: Estimand | None, which: str, shown: str
) -> None:
    judged: Judgement = average(Outcome.HOLDS, estimand=estimand)
    assert (decider(judged, rule), shown_average(judged, rule)) == (which, shown)


def test_an_old_report_without_a_mean_shows_its_median(judgement: Make) -> None:
    found: Judgement = judgement(Outcome.HOLDS)
    old = found.model_copy(update={"effect": found.effect.model_copy(update={"mean": None})})
    assert shown_average(old) == "median"
    assert average_in_brief(old) == "median 0.0412"
    assert brief(old, seeds=" seeds") == "60 of 64 seeds, median 0.0412 (0.02 to 0.0631)"


def test_what_decides_comes_first(judgement: Make, average: Make) -> None:
    assert brief(judgement(Outcome.HOLDS)) == "60 of 64, mean 0.0431 (0.0312 to 0.055)"
    assert brief(average(Outcome.HOLDS)) == "mean 0.0431 (0.0312 to 0.055), 60 of 64"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (None, ""),
        (Prediction(above=0.0), ""),
        (Average(above=0.0), "; both bounds must be > 0"),
        (Average(below=-0.5), "; both bounds must be < -0.5"),
        (Equivalence(at_least=-0.1, at_most=0.2), "; both bounds must be >= -0.1 and <= 0.2"),
    ],
)
def test_the_requirement_on_an_average_has_its_limits(rule: Estimand | None, said: str) -> None:
    assert requirement(rule) == said


def test_counts_say_why_there_is_no_share(judgement: Make) -> None:
    found: Judgement = judgement(Outcome.UNTRIGGERED)
    assert "held in 5 of 6 applicable (64 trained): share 55 % to 100 %" in counts(found)
    none = found.model_copy(update={"applicable": 0})
    assert counts(none) == "none of the 64 trained met the precondition"
    assert counts(none.model_copy(update={"drawn": 0})) == "not judged yet"
    assert "64 numerical failures" in counts(none.model_copy(update={"numerical_failures": 64}))


@pytest.mark.parametrize(
    ("low", "high"), [(None, 1.0), (0.0, None), (float("-inf"), 1.0), (0.0, float("inf")), (None, None)]
)
def test_an_estimate_without_both_bounds_says_so(low: float | None, high: float | None) -> None:
    assert bounded(0.5, low, high) == "0.5 (too few seeds for bounds)"


def test_an_effect_that_was_not_measured_says_so_and_hostile_units_are_inert() -> None:
    assert effect(Effect(unit="a\x1b[31mb", median=None, low=None, high=None)) == "a[31mb: not measured"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, True),
        ({"outcome": Outcome.HOLDS}, False),
        ({"would_decide": None}, False),
        ({"would_decide": 64}, False),  # no more than were trained
        ({"would_decide": 65}, True),
    ],
)
def test_seeds_that_would_decide_are_told_only_where_they_are_known_and_more(
    judgement: Make, changes: dict[str, Any], said: bool
) -> None:
    found: Judgement = judgement(Outcome.UNDECIDED)
    assert bool(to_decide(found.model_copy(update=changes))) is said
