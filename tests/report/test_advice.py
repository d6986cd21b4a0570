"""What to do next, for every answer that is open."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.core.judgement import Outcome
from spikecheck.report.advice import advised
from spikecheck.report.estimates import to_decide

Make = Callable[..., Any]


def test_what_is_open_says_how_many_seeds_would_decide(report: Make, guarded: Make, judgement: Make) -> None:
    undecided = guarded(Outcome.UNDECIDED, Outcome.UNDECIDED)
    needed = "about 420 seeds would decide if share and spread stay as they are"
    assert advised(undecided, report(undecided)) == [
        f"Whether it replicates is undecided: {needed}; --profile full trains up to 256.",
        f"Where it holds is undecided: {needed}; --profile full trains up to 256.",
    ]
    first, _ = advised(undecided, report(undecided, profile="full"))
    assert "as many seeds as the largest profile has: report it as undecided. About 420 seeds would" in first
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


@pytest.mark.parametrize(
    ("outcome", "profile", "complete", "advice"),
    [
        (Outcome.UNDECIDED, "quick", True, "--profile full"),
        (Outcome.UNDECIDED, "full", True, "Another --seed"),
        (Outcome.UNDECIDED, "quick", False, "run the same command again"),
        (Outcome.UNTRIGGERED, "quick", True, "met the precondition: The run spikes."),
        (Outcome.INVALID, "quick", True, "spikecheck explain condensation"),
    ],
)
def test_an_open_answer_comes_with_what_to_do_next(
    shown: Make, verdict: Make, outcome: Outcome, profile: str, *, complete: bool, advice: str
) -> None:
    text = shown(verdict(outcome), changes={"profile": profile, "complete": complete}, width=120)
    assert advice in " ".join(text.split())


def test_without_a_store_no_run_is_promised_to_be_reused(shown: Make, verdict: Make) -> None:
    """Regression: with --no-store it was said that what was trained is kept."""
    text = " ".join(shown(verdict(Outcome.UNDECIDED), changes={"complete": False, "stored": False}, width=120).split())
    assert "run again with a store, without one nothing is kept." in text
    assert "this report is partial. Without a store nothing is kept." in text
    assert "reused." not in text
    assert "run again to go on" not in text
    kept = " ".join(shown(verdict(Outcome.UNDECIDED), changes={"complete": False}, width=120).split())
    assert "this report is partial. Everything trained so far is kept, run again to go on." in kept


def test_more_seeds_are_no_advice_where_nothing_was_searched(report: Make, guarded: Make) -> None:
    """Regression: "--profile full trains up to 256 seeds", of a domain of one setting, which no seeds decide."""
    found = guarded(Outcome.HOLDS, Outcome.UNDECIDED)
    alone = found.model_copy(
        update={"answers": found.answers[:1], "weakest": None, "counterexample": None, "domain": {}}
    )
    (said,) = advised(alone, report(alone))
    assert (
        said
        == "Where it holds cannot be told: the claim's domain has one setting; give it ladders with further values."
    )
    costly = alone.model_copy(update={"domain": {"lr": ("0.1", "0.2")}})
    assert advised(costly, report(costly)) == ["Where it holds is undecided: --profile full searches the domain."]
