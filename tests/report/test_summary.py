"""What a reader is told first: the answer, and what would turn it."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.core.judgement import Outcome
from spikecheck.core.verdict import Variation
from spikecheck.report.summary import answer, level_says, moved_says

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
    assert "depends on a cut-off: with horizon 0 it holds (60 of 64, mean 0.0431 (0.0312 to" in answer(found)
    assert "and 1 more" in answer(found)
    assert moved_says(found) == "1 the same, 3 otherwise, 1 undecided"
    assert "hangs" not in answer(verdict(Outcome.FAILS, Outcome.FAILS, robustness=(alike, unsure)))


@pytest.mark.parametrize(("lost", "told"), [(32, False), (33, True)])
def test_where_most_seeds_are_lost_it_is_said_that_the_rest_is_judged(
    verdict: Make, judgement: Make, lost: int, told: bool
) -> None:
    found = verdict(reference=judgement(Outcome.HOLDS).model_copy(update={"numerical_failures": lost}))
    assert (f"{lost} of 64 seeds had numerical failures" in answer(found)) is told


def test_bounds_that_are_stricter_than_the_rule_say_why(verdict: Make, judgement: Make) -> None:
    found = verdict(level=0.95)
    assert level_says(judgement(Outcome.HOLDS), found) == "Each bound at 95 %"
    again = judgement(Outcome.HOLDS).model_copy(update={"level": 0.9875})
    assert (
        level_says(again, found)
        == "Each bound at 98.75 %: the rule's 95 %, corrected for repeated looks at growing numbers of seeds"
    )


SHARE = "93.8 % of the seeds show it (between 86 % and 98 %)"
MEAN = "the mean gain of mean |cos| is 0.0431 (0.0312 to 0.055)"


@pytest.mark.parametrize(
    ("estimand", "told"),
    [
        ("share", f"{SHARE}, 80 % are required; {MEAN}."),
        (
            "mean",
            f"{MEAN}; both bounds must be > 0 and the mean itself >= 0.02 (fails if both bounds are less); {SHARE}.",
        ),
        ("median", f"the median gain of mean |cos| is 0.0412 (0.02 to 0.0631); both bounds must be > 0; {SHARE}."),
        ("equivalence", f"{MEAN}; both bounds must be >= -0.1 and <= 0.1; {SHARE}."),
    ],
)
def test_what_decides_comes_first_and_the_other_with_it(guarded: Make, estimand: str, told: str) -> None:
    said = answer(guarded(estimand=estimand))
    assert said.startswith(f"It holds where it was claimed: {told}")
    assert "It holds in about 79 % (58 to 93 %) of its domain." in said
    assert "The claim exceeds it by 0.71 (0.55 to 0.83), and must exceed 0.2." in said
    assert said.endswith("A planted effect is found in 60 of 64 seeds.")
    control = {"share": "12 of 64 seeds", "median": "median 0.0412 (0.02 to 0.0631), 12 of 64 seeds"}
    figures = control.get(estimand, "mean 0.0021 (-0.0109 to 0.0151), 12 of 64 seeds")
    assert f"Its negative control does not show it, and must not: {figures}." in said


def test_a_domain_that_was_tried_whole_needs_no_interval(guarded: Make, reach: Make) -> None:
    assert "It holds in 75 % of its domain." in answer(guarded(reach=reach(settings=8, of=8, holds=6, triggered=8)))


@pytest.mark.parametrize(
    ("judged", "positive", "why"),
    [
        (Outcome.HOLDS, Outcome.HOLDS, "since it does not exceed its negative control"),
        (Outcome.FAILS, Outcome.FAILS, "since a planted effect was not found either"),
        (Outcome.FAILS, None, "since it has no positive control"),
    ],
)
def test_what_makes_figures_prove_nothing_is_told(
    guarded: Make, judgement: Make, judged: Outcome, positive: Outcome | None, why: str
) -> None:
    found = guarded(Outcome.INVALID, Outcome.INVALID)
    planted = None if positive is None else judgement(positive)
    first = found.answers[0].model_copy(update={"judgement": judgement(judged), "positive": planted})
    assert why in answer(found.model_copy(update={"answers": (first,), "reference": first.judgement}))


def test_a_strongest_setting_that_its_control_takes_back_is_not_told_to_hold(guarded: Make) -> None:
    found = guarded(Outcome.FAILS, Outcome.FAILS)
    assert "It does hold at width=50 (reference: 20), lr=0.05 (reference: 0.1): 60 of 64 seeds, mean" in answer(found)
    taken_back = found.answers[1].model_copy(update={"outcome": Outcome.INVALID})
    assert "It does hold" not in answer(found.model_copy(update={"answers": (found.answers[0], taken_back)}))
