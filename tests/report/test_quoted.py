"""The answers of a verdict, also where an old report has them in other fields."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.core.judgement import Outcome
from spikecheck.report.quoted import at_reference, besides, nominated, only_searched, read_rule, rule_of
from spikecheck.stats.prediction import Average, Equivalence, Estimand, Prediction, as_record

Make = Callable[..., Any]


@pytest.mark.parametrize(
    "rule", [Prediction(above=0.0, of_seeds=0.9), Average(below=1.0, worth=0.1), Equivalence(at_least=0.0, at_most=2.0)]
)
def test_a_rule_is_rebuilt_from_its_record(rule: Estimand, verdict: Make) -> None:
    record = {name: value for name, value in as_record(rule).items() if value is not None}
    assert rule_of(verdict(predicts=record)) == rule


@pytest.mark.parametrize("record", [{}, {"kind": "share", "above": 0.0, "of_seeds": 7.0}])
def test_a_record_that_is_no_rule_is_none(record: dict[str, float | str]) -> None:
    assert read_rule(record) is None


def test_the_answer_at_the_reference_is_put_together_from_an_old_reports_fields(verdict: Make, unreached: Any) -> None:
    old = verdict(Outcome.FAILS, Outcome.FAILS)
    answer = at_reference(old)
    assert (answer.role, answer.outcome, answer.judgement, answer.control) == (
        "reference", Outcome.FAILS, old.reference, old.control
    )  # fmt: skip
    assert at_reference(old.model_copy(update={"control": unreached})).control is None


def test_a_new_report_has_it_among_its_answers(guarded: Make) -> None:
    found = guarded()
    assert at_reference(found) is found.answers[0]


@pytest.mark.parametrize(
    ("replicates", "generalises", "role"),
    [
        (Outcome.HOLDS, Outcome.HOLDS, "weakest"),
        (Outcome.HOLDS, Outcome.FAILS, "counterexample"),
        (Outcome.FAILS, Outcome.FAILS, "strongest"),
    ],
)
def test_the_nominated_setting_is_found_in_reports_of_either_age(
    verdict: Make, guarded: Make, replicates: Outcome, generalises: Outcome, role: str
) -> None:
    new, old = guarded(replicates, generalises), verdict(replicates, generalises)
    if role == "strongest":
        old = old.model_copy(update={"elsewhere": old.weakest, "weakest": None})
    for found in (new, old):
        answer = nominated(found)
        assert answer is not None
        assert (answer.role, answer.judgement.setting.width) == (role, 50)


def test_nothing_is_nominated_where_nothing_was_searched(verdict: Make) -> None:
    assert nominated(verdict(weakest=None)) is None


def test_a_setting_beside_the_domain_is_never_the_nominated_one(guarded: Make) -> None:
    """A claim may call it "weakest" of all names."""
    found = guarded()
    beside = found.answers[2].model_copy(update={"role": "weakest"})
    both = found.model_copy(update={"answers": (found.answers[0], beside, found.answers[1]), "beside": {"weakest": 1}})
    assert nominated(both) is found.answers[1]
    assert besides(both) == {"weakest": beside}


def test_settings_that_only_a_search_has_seen_are_told_apart(verdict: Make, guarded: Make) -> None:
    found = guarded()
    assert list(besides(found)) == ["setting B"] and only_searched(found) == []
    old = verdict(beside={"setting B": 1})
    assert besides(old) == {} and only_searched(old) == ["setting B"]
