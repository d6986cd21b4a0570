"""What differs between a recorded counterexample's place and this one."""

from dataclasses import replace

from spikecheck.core.verdict import Report
from spikecheck.harness import simulated_lab as planted
from spikecheck.harness.differences import differences
from spikecheck.harness.plan import Plan
from spikecheck.harness.verify import verify

CLAIM = planted.planted_claim()
VERDICT = verify(CLAIM, planted.PlantedLab(lambda setting: 0.2), Plan(settings=2))
THERE: dict[str, str | int | float] = {"torch": "2.12.0", "threads": 1, "device": "cpu AVX2", "date": "2026-01-01"}
REPORT = Report(passed=False, command="", profile="ci", seed=0, environment=THERE, claims=(VERDICT,))


def test_nothing_differs_in_the_same_place_on_another_day() -> None:
    assert differences(REPORT, VERDICT, CLAIM, THERE | {"date": "2026-02-02"}) == ()


def test_every_value_that_differs_is_named_with_both() -> None:
    here = THERE | {"torch": "2.13.0", "device": "cpu DEFAULT"}
    assert differences(REPORT, VERDICT, CLAIM, here) == (
        "torch 2.12.0, here 2.13.0",
        "device cpu AVX2, here cpu DEFAULT",
    )


def test_what_only_one_of_the_two_records_is_a_difference() -> None:
    here = {name: value for name, value in THERE.items() if name != "threads"} | {"epoch": 8}
    assert differences(REPORT, VERDICT, CLAIM, here) == ("threads 1, here none", "epoch not recorded, here 8")


def test_a_claim_whose_rule_has_changed_since_is_named() -> None:
    stricter = replace(CLAIM, predicts=replace(CLAIM.predicts, level=0.99))
    (said,) = differences(REPORT, VERDICT, stricter, THERE)
    assert said == f"the claim's specification {VERDICT.specification}, here {stricter.specification}"
    assert VERDICT.specification != stricter.specification
