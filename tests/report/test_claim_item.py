"""What pytest says of one question about a claim: which outcomes fail the item, and what its report carries."""

from collections.abc import Callable
from typing import Any

import pytest

from spikecheck.core.judgement import Contrast, Effect, Judgement, Outcome
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Verdict
from spikecheck.report.claim_item import complaint, edge, properties
from spikecheck.stats.prediction import Average, as_record


def verdict_of_an_average(control: Outcome, contrast: Outcome | None, estimand: str = "mean") -> Verdict:
    """A verdict whose reference holds, with a control that came out so and a contrast that did."""

    def judgement(outcome: Outcome) -> Judgement:
        effect = Effect(unit="gain", median=0.04, low=0.02, high=0.06, mean=0.05, mean_low=0.03, mean_high=0.07)
        decided: dict[str, Any] = {"estimand": estimand, "required": 0.8 if estimand == "share" else None}
        counts = {"drawn": 64, "applicable": 60, "held": 50, "low": 0.7, "high": 0.9, "level": 0.95}
        return Judgement(setting=Setting(), outcome=outcome, effect=effect, **counts, **decided)

    found = Contrast(outcome=contrast, estimate=0.01, low=-0.01, high=0.03, margin=0.0, pairs=60) if contrast else None
    return Verdict(
        id="condensation", kind="tendency", says="spikes align", where="here", rule="mean gain > 0",
        predicts=as_record(Average(above=0.0)), replicates=Outcome.HOLDS, generalises=Outcome.HOLDS, passed=True,
        reference=judgement(Outcome.HOLDS), control=judgement(control), control_says="none", contrast=found,
        settings_tried=1, settings_triggered=1, numerical_failures=0, runs_trained=0, runs_reused=0, seconds=0.0,
        definitions={}, specification="0",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("control", "contrast", "estimand", "passes"),
    [
        (Outcome.FAILS, None, "share", True),
        (Outcome.HOLDS, None, "share", False),
        (Outcome.UNDECIDED, Outcome.HOLDS, "share", True),
        (Outcome.HOLDS, Outcome.HOLDS, "share", False),
        (Outcome.HOLDS, Outcome.HOLDS, "mean", True),
        (Outcome.HOLDS, Outcome.UNDECIDED, "mean", False),
        (Outcome.UNTRIGGERED, Outcome.UNTRIGGERED, "mean", False),
    ],
)
def test_the_control_item_passes_where_the_claim_is_told_apart(
    control: Outcome, contrast: Outcome | None, estimand: str, *, passes: bool
) -> None:
    said = complaint(verdict_of_an_average(control, contrast, estimand), "control", strict=False)
    assert (said == "") is passes


def test_what_is_told_of_an_average_requires_no_share() -> None:
    said = complaint(verdict_of_an_average(Outcome.HOLDS, Outcome.UNDECIDED), "control", strict=False)
    assert said.splitlines() == [
        "Its negative control shows it as well: mean 0.05 (0.03 to 0.07), 50 of 60 seeds.",
        "condensation: CONTROL DID NOT FAIL",
        "spikes align",
        "held in 50 of 60 applicable (64 trained): share 70 % to 90 %",
        "effect, gain: mean 0.05 (0.03 to 0.07), median 0.04 (0.02 to 0.06)",
        "decides: the mean; both bounds must be > 0; each bound at 95 %",
        "exceeds its negative control by 0.01 (-0.01 to 0.03); must exceed 0",
        "rule: mean gain > 0",
    ]


@pytest.mark.parametrize("outcome", Outcome)
def test_a_claim_replicates_where_it_holds_at_the_reference(outcome: Outcome) -> None:
    verdict = verdict_of_an_average(Outcome.FAILS, None).model_copy(update={"replicates": outcome})
    assert (complaint(verdict, "replicates", strict=False) == "") is (outcome is Outcome.HOLDS)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("kind", "replicates", "generalises", "passes", "passes_if_strict"),
    [
        ("law", Outcome.HOLDS, Outcome.HOLDS, True, True),
        ("law", Outcome.HOLDS, Outcome.UNDECIDED, True, True),
        ("law", Outcome.HOLDS, Outcome.FAILS, False, False),
        ("tendency", Outcome.HOLDS, Outcome.FAILS, True, False),
        ("tendency", Outcome.FAILS, Outcome.FAILS, False, False),
        ("tendency", Outcome.HOLDS, Outcome.INVALID, False, False),
        ("tendency", Outcome.HOLDS, Outcome.UNTRIGGERED, False, False),
    ],
)
def test_where_a_tendency_stops_holding_is_its_edge_unless_strict(
    kind: str, replicates: Outcome, generalises: Outcome, strict: bool, passes: bool, passes_if_strict: bool
) -> None:
    outcomes = {"kind": kind, "replicates": replicates, "generalises": generalises}
    verdict = verdict_of_an_average(Outcome.FAILS, None).model_copy(update=outcomes)
    says = complaint(verdict, "generalises", strict=strict)
    assert (says == "") is (passes_if_strict if strict else passes)
    assert not says or generalises.value.upper() in says


def test_the_edge_is_said_with_its_command(guarded: Callable[..., Any]) -> None:
    verdict = guarded(Outcome.HOLDS, Outcome.FAILS)
    assert verdict.counterexample is not None
    says = edge(verdict)
    assert says.startswith("stops holding at ")
    assert says.endswith(f"\n{verdict.counterexample.replay}")
    assert dict(properties(verdict, "generalises"))["counterexample"] == verdict.counterexample.replay
    assert "counterexample" not in dict(properties(verdict, "replicates"))


def test_a_report_carries_the_counts_and_the_interval_of_the_judgement_that_decides() -> None:
    verdict = verdict_of_an_average(Outcome.FAILS, None, "share")
    carried = dict(properties(verdict, "control"))
    assert (carried["claim"], carried["outcome"], carried["held"]) == ("condensation", "fails", "50/60")
    assert (carried["interval"], carried["mean"], carried["median"]) == (
        "0.700..0.900", "0.05, 0.03..0.07", "0.04, 0.02..0.06",
    )  # fmt: skip
