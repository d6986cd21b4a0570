"""What a reader is told first: the answer, and what would turn it."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.core.judgement import Outcome
from spikecheck.core.verdict import Variation
from spikecheck.report.answers import answer, level_says, moved_says

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("kind", "replicates", "generalises", "first", "further"),
    [
        ("tendency", Outcome.HOLDS, Outcome.FAILS, "It holds where it was claimed", "It stops holding at width=50"),
        ("law", Outcome.HOLDS, Outcome.FAILS, "It is refuted as a law", "It holds where it was claimed"),
        ("tendency", Outcome.UNDECIDED, Outcome.FAILS, "Whether it holds", "At width=50"),
        ("law", Outcome.UNDECIDED, Outcome.FAILS, "It is refuted as a law", "Whether it holds"),
        ("law", Outcome.FAILS, Outcome.FAILS, "It does not hold where it was claimed", "Its negative control"),
        ("tendency", Outcome.UNTRIGGERED, Outcome.UNTRIGGERED, "Too few seeds met", "6 of 64"),
        ("law", Outcome.INVALID, Outcome.INVALID, "Its figures prove nothing", "must not show it, does so"),
    ],
)
def test_the_first_sentence_is_the_verdict(
    verdict: Make, kind: str, replicates: Outcome, generalises: Outcome, first: str, further: str
) -> None:
    """Regression: a refuted law was first told to hold, and an undecided claim to stop holding somewhere."""
    said = answer(verdict(replicates, generalises, kind=kind))
    assert said.startswith(first)
    assert further in said


def test_a_cut_off_that_turns_the_answer_is_told_and_one_that_does_not_is_not(verdict: Make, judgement: Make) -> None:
    turned = [Variation(name=f"horizon {n}", judgement=judgement(Outcome.HOLDS)) for n in range(3)]
    alike = Variation(name="factor half", judgement=judgement(Outcome.FAILS))
    unsure = Variation(name="settle half", judgement=judgement(Outcome.UNDECIDED))
    found = verdict(Outcome.FAILS, Outcome.FAILS, robustness=(*turned, alike, unsure))
    assert "hangs on where a cut-off lies: with horizon 0 it holds (60 of 64), with horizon 1" in answer(found)
    assert "and 1 more" in answer(found)
    assert moved_says(found) == "1 the same, 3 otherwise, 1 undecided"
    assert "hangs" not in answer(verdict(Outcome.FAILS, Outcome.FAILS, robustness=(alike, unsure)))


@pytest.mark.parametrize(("lost", "told"), [(32, False), (33, True)])
def test_where_most_seeds_are_lost_it_is_said_that_the_rest_is_judged(
    verdict: Make, judgement: Make, lost: int, told: bool
) -> None:
    found = verdict(reference=judgement(Outcome.HOLDS).model_copy(update={"numerical_failures": lost}))
    assert (f"In {lost} of 64 seeds the numbers failed" in answer(found)) is told


def test_bounds_that_are_stricter_than_the_rule_say_why(verdict: Make, judgement: Make) -> None:
    found = verdict(level=0.95)
    assert level_says(judgement(Outcome.HOLDS), found) == "Each bound at 95 %"
    again = judgement(Outcome.HOLDS).model_copy(update={"level": 0.9875})
    assert (
        level_says(again, found)
        == "Each bound at 98.75 %: the rule's 95 %, less what looking again at more seeds costs"
    )
