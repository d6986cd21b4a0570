"""What differs between a recorded counterexample's place and this one."""

from dataclasses import replace

import pytest

from spikecheck.core.verdict import Report, Verdict
from spikecheck.harness import simulated_lab as planted
from spikecheck.harness.differences import differences
from spikecheck.harness.plan import Plan
from spikecheck.harness.verify import verify

CLAIM = planted.planted_claim()
THERE: dict[str, str | int | float] = {"torch": "2.12.0", "threads": 1, "device": "cpu AVX2", "date": "2026-01-01"}


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    return verify(CLAIM, planted.PlantedLab(lambda setting: 0.2), Plan(settings=2))


@pytest.fixture(scope="module")
def report(verdict: Verdict) -> Report:
    return Report(passed=False, command="", profile="ci", seed=0, environment=THERE, claims=(verdict,))


def test_nothing_differs_in_the_same_place_on_another_day(verdict: Verdict, report: Report) -> None:
    assert differences(report, verdict, CLAIM, THERE | {"date": "2026-02-02"}) == ()


def test_every_value_that_differs_is_named_with_both(verdict: Verdict, report: Report) -> None:
    here = THERE | {"torch": "2.13.0", "device": "cpu DEFAULT"}
    assert differences(report, verdict, CLAIM, here) == (
        "torch 2.12.0, here 2.13.0",
        "device cpu AVX2, here cpu DEFAULT",
    )


def test_what_only_one_of_the_two_records_is_a_difference(verdict: Verdict, report: Report) -> None:
    here = {name: value for name, value in THERE.items() if name != "threads"} | {"epoch": 8}
    assert differences(report, verdict, CLAIM, here) == ("threads 1, here none", "epoch not recorded, here 8")


def test_a_claim_whose_rule_has_changed_since_is_named(verdict: Verdict, report: Report) -> None:
    stricter = replace(CLAIM, predicts=replace(CLAIM.predicts, level=0.99))
    (said,) = differences(report, verdict, stricter, THERE)
    assert said == f"the claim's specification {verdict.specification}, here {stricter.specification}"
    assert verdict.specification != stricter.specification
