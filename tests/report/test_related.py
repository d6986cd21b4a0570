"""Claims that speak to one question: those that there are, once each, and those named in words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from spikecheck.report.related import QUESTIONS, related

Make = Callable[..., Any]
CLAIMS = {path.stem.replace("_", "-") for path in (Path(__file__).parents[2] / "claims").glob("*.py")}


def test_every_name_in_the_table_is_a_claims() -> None:
    assert {name for question in QUESTIONS for name in question.claims} <= CLAIMS


def test_only_claims_of_the_report_are_related_and_the_relation_goes_both_ways(report: Make, verdict: Make) -> None:
    made = report(verdict(), verdict(id="spike-effect-decomposed"), verdict(id="mine"))
    one, other, mine = made.claims
    ((asks, found),) = related(one, made)
    assert asks.startswith("Claims on the same question: Do spikes align")
    assert [claim.id for claim in found] == ["spike-effect-decomposed"]
    assert [claim.id for _, claims in related(other, made) for claim in claims] == ["condensation"]
    assert related(mine, made) == []


def test_a_claim_of_ones_own_is_related_to_those_that_its_words_name(report: Make, verdict: Make) -> None:
    made = report(verdict(), verdict(id="mine", cannot_tell="`condensation` asks of spikes; `nobody` of nothing."))
    one, mine = made.claims
    assert [claim.id for _, claims in related(mine, made) for claim in claims] == ["condensation"]
    assert [claim.id for _, claims in related(one, made) for claim in claims] == ["mine"]
