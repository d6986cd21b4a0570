"""Companions that contradict: said where both are sure and the rule asks for a sign, and nowhere else."""

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


def test_one_that_is_surely_on_the_other_side_is_said_in_the_headline(guarded: Make) -> None:
    found = beside(guarded, companion(-0.03, -0.01))
    said = "Measured otherwise, as weighted gain, it contradicts what decides: the mean is -0.02 (-0.03 to -0.01)."
    assert opposed(found) == said
    assert headline(found).endswith(said)


@pytest.mark.parametrize(("low", "high"), [(0.01, 0.03), (-0.01, 0.03), (-0.03, 0.0), (None, None)])
def test_one_that_agrees_or_is_not_sure_contradicts_nothing(
    guarded: Make, low: float | None, high: float | None
) -> None:
    assert opposed(beside(guarded, companion(low, high))) == ""


def test_two_contradict_one_another_where_what_decides_is_not_sure(guarded: Make) -> None:
    found = beside(guarded, companion(0.01, 0.02), companion(-0.02, -0.01, "ratio"), effect=(-0.01, 0.01))
    assert opposed(found).startswith("Measured otherwise, as ratio, it contradicts its other companion:")


def test_beside_a_rule_with_another_limit_nothing_is_compared(guarded: Make) -> None:
    rule = as_record(Average(above=0.6))
    assert opposed(beside(guarded, companion(-0.03, -0.01), predicts=rule)) == ""
    assert opposed(guarded(estimand="share")) == ""


def test_in_the_reproduction_it_is_the_weighting_of_condensation_by_dose() -> None:
    found = {verdict.id: opposed(verdict) for verdict in json_file.read(REPRODUCTION).claims}
    assert [name for name, said in found.items() if said] == ["condensation-dose"]
    assert "difference of weighted mean |cos|" in found["condensation-dose"]
