"""What a reader is told first: the answer, and what would turn it."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.core.judgement import Contrast, Judgement, Outcome
from spikecheck.core.verdict import Variation
from spikecheck.report.advice import advised
from spikecheck.report.controls import Mark, contrasted, negative, planted, signed
from spikecheck.report.estimates import to_decide
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
    assert "hangs on where a cut-off lies: with horizon 0 it holds (60 of 64, mean 0.0431 (0.0312 to" in answer(found)
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


SHARE = "93.8 % of the seeds show it (between 86 % and 98 %)"
MEAN = "the mean gain of mean |cos| is 0.0431 (0.0312 to 0.055)"


@pytest.mark.parametrize(
    ("estimand", "told"),
    [
        ("share", f"{SHARE}, 80 % are required; {MEAN}."),
        ("mean", f"{MEAN}, which must be > 0 and itself >= 0.02 (fails if surely less); {SHARE}."),
        ("median", f"the median gain of mean |cos| is 0.0412 (0.02 to 0.0631), which must be > 0; {SHARE}."),
        ("equivalence", f"{MEAN}, which must be >= -0.1 and <= 0.1; {SHARE}."),
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
        (Outcome.FAILS, None, "since no planted effect was ever looked for"),
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


@pytest.mark.parametrize("estimand", ["share", "mean"])
def test_a_control_that_holds_is_bad_news_however_far_the_claim_exceeds_it(
    guarded: Make, judgement: Make, average: Make, estimand: str
) -> None:
    found = guarded(estimand=estimand).answers[0]
    held: Judgement = (judgement if estimand == "share" else average)(Outcome.HOLDS)
    marks = {}
    for outcome in (Outcome.HOLDS, Outcome.FAILS):
        contrast: Contrast = found.contrast.model_copy(update={"outcome": outcome})
        marks[outcome] = negative(found.model_copy(update={"control": held, "contrast": contrast})).mark
    assert marks == {Outcome.HOLDS: Mark.BAD, Outcome.FAILS: Mark.BAD}


def test_what_a_contrast_without_figures_says(guarded: Make) -> None:
    found = guarded().answers[0]
    none = Contrast(outcome=Outcome.UNTRIGGERED, estimate=None, low=None, high=None, margin=0.2, pairs=3)
    told = contrasted(found.model_copy(update={"contrast": none}))
    assert told is not None
    assert told.text == "only 3 seeds to which both claim and negative control apply: too few to compare"
    assert told.mark is Mark.BAD
    assert contrasted(found.model_copy(update={"contrast": None})) is None


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.HOLDS, "✓ planted effect found in 60 of 64"),
        (Outcome.FAILS, "✗ planted effect NOT found: in 12 of 64"),
        (Outcome.UNDECIDED, "? planted effect not clearly found: in 48 of 64"),
        (Outcome.UNTRIGGERED, "? planted effect never put to the test: applicable in 6 seeds"),
    ],
)
def test_what_the_positive_control_did_is_told_in_words(
    guarded: Make, judgement: Make, outcome: Outcome, said: str
) -> None:
    told = planted(guarded().answers[0].model_copy(update={"positive": judgement(outcome)}))
    assert told is not None
    assert signed(told) == said


def test_what_is_open_says_how_many_seeds_would_decide(report: Make, guarded: Make, judgement: Make) -> None:
    undecided = guarded(Outcome.UNDECIDED, Outcome.UNDECIDED)
    needed = "about 420 seeds would decide if share and spread stay as they are"
    assert advised(undecided, report(undecided)) == [
        f"Whether it replicates is undecided: {needed}; --profile full trains up to 256.",
        f"Where it holds is undecided: {needed}; --profile full trains up to 256.",
    ]
    first, _ = advised(undecided, report(undecided, profile="full"))
    assert "as many seeds as the largest profile has, and to be reported as such. About 420 seeds would" in first
    for nonsense in (None, 3):  # of old reports, and where something else than the estimate is open
        unknown = judgement(Outcome.UNDECIDED).model_copy(update={"would_decide": nonsense})
        assert to_decide(unknown) == ""


def test_an_answer_that_waits_for_its_positive_control_says_what_that_takes(
    report: Make, guarded: Make, judgement: Make
) -> None:
    found = guarded(Outcome.UNDECIDED, Outcome.HOLDS)
    waiting = found.answers[0].model_copy(
        update={"judgement": judgement(Outcome.FAILS), "positive": judgement(Outcome.UNDECIDED)}
    )
    found = found.model_copy(update={"answers": (waiting, *found.answers[1:])})
    (said,) = advised(found, report(found))
    assert said.startswith("Whether it replicates is undecided: about 420 seeds would decide if share and spread stay")


def test_an_invalid_answer_says_which_control_it_waits_for(report: Make, guarded: Make, judgement: Make) -> None:
    found = guarded(Outcome.INVALID, Outcome.INVALID)
    assert advised(found, report(found)) == [
        "Invalid until the claim surely exceeds its negative control; what that is: spikecheck explain condensation"
    ]
    blind = found.answers[0].model_copy(update={"judgement": judgement(Outcome.FAILS), "positive": None})
    (said,) = advised(found.model_copy(update={"answers": (blind,)}), report(found))
    assert said.startswith("Invalid until a positive control shows that the check can find what is claimed")
