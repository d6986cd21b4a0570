"""A companion that contradicts the deciding effect is reported if both intervals exclude 0 and the rule is about a sign."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spikecheck.core.judgement import Companion, Effect
from spikecheck.core.verdict import Verdict
from spikecheck.report import json_file
from spikecheck.report.opposed import opposed
from spikecheck.report.summary import headline
from spikecheck.stats.prediction import Average, as_record

Make = Callable[..., Any]
REPRODUCTION = Path(__file__).parents[2] / "reports" / "reproduction.json.gz"


def companion(low: float | None, high: float | None, unit: str = "weighted gain") -> Companion:
    middle = None if low is None or high is None else (low + high) / 2
    effect = Effect(unit=unit, median=middle, low=low, high=high, mean=middle, mean_low=low, mean_high=high)
    return Companion(effect=effect, measured=60, held=10)


def beside(
    guarded: Make, *companions: Companion, effect: tuple[float, float] = (0.03, 0.05), **changes: Any
) -> Verdict:
    found: Verdict = guarded(estimand="mean", **changes)
    own = found.reference.effect.model_copy(
        update={"mean": sum(effect) / 2, "mean_low": effect[0], "mean_high": effect[1]}
    )
    return found.model_copy(
        update={"reference": found.reference.model_copy(update={"companions": companions, "effect": own})}
    )


def test_a_companion_of_the_opposite_sign_is_reported_in_the_headline(guarded: Make) -> None:
    found = beside(guarded, companion(-0.03, -0.01))
    said = "Its companion, weighted gain, has the opposite sign to the deciding effect: the mean is -0.02 (-0.03 to -0.01)."
    assert opposed(found) == said
    assert headline(found).endswith(said)


@pytest.mark.parametrize(("low", "high"), [(0.01, 0.03), (-0.01, 0.03), (-0.03, 0.0), (None, None)])
def test_a_companion_that_agrees_or_whose_interval_contains_0_is_not_reported(
    guarded: Make, low: float | None, high: float | None
) -> None:
    assert opposed(beside(guarded, companion(low, high))) == ""


def test_two_companions_are_compared_where_the_deciding_interval_contains_0(guarded: Make) -> None:
    found = beside(guarded, companion(0.01, 0.02), companion(-0.02, -0.01, "ratio"), effect=(-0.01, 0.01))
    assert opposed(found).startswith("Its companion, ratio, has the opposite sign to its other companion:")


def test_nothing_is_compared_if_the_rule_has_another_limit_than_0(guarded: Make) -> None:
    rule = as_record(Average(above=0.6))
    assert opposed(beside(guarded, companion(-0.03, -0.01), predicts=rule)) == ""
    assert opposed(guarded(estimand="share")) == ""


def test_in_the_reproduction_it_is_the_weighting_of_condensation_by_dose() -> None:
    found = {verdict.id: opposed(verdict) for verdict in json_file.read(REPRODUCTION).claims}
    assert [name for name, said in found.items() if said] == ["condensation-dose"]
    assert "difference of weighted mean |cos|" in found["condensation-dose"]
