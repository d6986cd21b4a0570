"""The size of an effect in words: against what the claim asks for, and on its unit's scale."""

from collections.abc import Callable
from math import e, pi
from typing import Any

import pytest

from spikecheck.core.judgement import Outcome
from spikecheck.core.setting import Setting
from spikecheck.report.size import on_its_scale, size_in_words
from spikecheck.stats.prediction import Average, Equivalence

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Average(above=0.0, worth=0.02), "mean 0.0431; 2.2 times the least that is worth a claim; 11.9 % of the way"),
        (Average(above=0.0, worth=0.0862), "mean 0.0431; 0.5 times the least"),
        (Average(above=0.0, worth=0.0001), "mean 0.0431; 431 times the least"),
        (Average(below=0.0, worth=0.02), "mean 0.0431; on the wrong side of 0"),
        (Average(at_most=0.05), "mean 0.0431; within its limit;"),
        (Average(at_most=0.01), "mean 0.0431; beyond its limit;"),
        (Equivalence(at_least=-0.1, at_most=0.1), "mean 0.0431; within its limits;"),
    ],
)
def test_an_average_is_told_beside_what_is_asked_of_it(guarded: Make, rule: Average, said: str) -> None:
    assert size_in_words(guarded(estimand="mean").reference, rule).startswith(said)


def test_where_a_share_decides_the_average_stands_alone(guarded: Make, unreached: Any) -> None:
    assert size_in_words(guarded().reference).startswith("mean 0.0431; 11.9 %")
    assert size_in_words(unreached) == ""
    assert size_in_words(guarded(Outcome.FAILS).reference, Average(above=0.0)).startswith("mean 0.0021; 0.578 %")


@pytest.mark.parametrize(
    ("unit", "value", "said"),
    [
        ("gain of mean |cos|", 1 - 2 / pi, "100 % of the way from random directions to parallel ones"),
        ("log ratio of test losses", 1.0, f"a factor of {e:.3g}"),
        ("log10 of late peak over late median", 2.0, "a factor of 100"),
        ("predicted rightly (1) or wrongly (-1)", 0.5, "right in 75 % of the runs"),
        ("low-frequency share", 0.027, "2.7 % of the whole"),
        ("steps", 3.0, ""),
    ],
)
def test_a_unit_that_is_known_has_its_scale(unit: str, value: float, said: str) -> None:
    assert on_its_scale(value, unit, Setting()) == said


def test_random_directions_of_many_numbers_have_no_such_scale() -> None:
    assert on_its_scale(0.1, "gain of mean |cos|", Setting(problem="mnist1d", points=100)) == ""
