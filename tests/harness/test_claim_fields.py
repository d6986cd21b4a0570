"""A slip in a claim's parts is named when the claim is made, with its value and what to give."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikecheck.core.errors import SettingError
from spikecheck.core.setting import Setting
from spikecheck.harness.claim import Condition, Control
from spikecheck.harness.claim_fields import number, truth
from spikecheck.harness.simulated_lab import planted_claim
from spikecheck.stats.prediction import Bounds, Prediction

CLAIM = planted_claim()


def one(trial: object) -> float:
    return 1.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"says": None}, "says=None: give a text"),
        ({"where": 3}, "where=3: give a text"),
        ({"domain": Setting()}, r"domain=Setting.*: give a Domain"),
        ({"measure": 3.0}, "measure=3.0: give a function"),
        ({"applies": True}, "applies=True: give a function"),
        ({"arms": {"run": Setting()}}, r"arms\['run'\]=Setting.*: give a function"),
        ({"arms": [one]}, "arms=.*: give a dictionary with a name for each value"),
        ({"companions": {1: one}}, "companions=.*: give a dictionary"),
        ({"predicts": None}, "predicts=None: give a Prediction or Average or Equivalence"),
        ({"predicts": Bounds(above=0.0)}, "predicts=Bounds.*: give a Prediction"),
        ({"control": None}, "control=None: give a Control"),
        ({"control": CLAIM}, "control=Claim.*: give a Control"),
        ({"positive": "much"}, "positive='much': give a Control or None"),
        ({"probe": "Anatomy"}, r"probe='Anatomy': give a probe, such as Anatomy\(\) or None"),
        ({"definition": None}, "definition=None: give a SpikeDefinition"),
        ({"beside": {"other": 3}}, r"beside\['other'\]=3: give a Setting"),
        ({"beside": {"reference": Setting(lr=0.05)}}, "beside: 'reference' is the name of another answer"),
        ({"further": {"suspect": Setting(lr=0.05)}}, "'suspect' is the name of another answer"),
        ({"also": Condition(measure=one, unit="v", predicts=Prediction(above=0.0))}, r"also=Condition.*give a tuple"),
        ({"also_not": (3,)}, "also_not=3: give a Control"),
    ],
)  # fmt: skip
def test_a_part_of_another_kind_is_refused_with_its_name_its_value_and_the_remedy(
    changes: dict[str, Any], said: str
) -> None:
    """Regression: most ended in an internal error in the middle of a verification, which ended that of the other claims."""
    with pytest.raises(SettingError, match=said):
        replace(CLAIM, **changes)


def test_parts_of_a_control_and_of_a_condition_are_checked_too() -> None:
    with pytest.raises(SettingError, match="measure=3: give a function"):
        Control(says="nothing", measure=3)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="says=None: give a text"):
        Control(says=None)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="predicts=0.5: give a Prediction"):
        Condition(measure=one, unit="v", predicts=0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("accident", [None, "no", b"", float("nan"), np.float64("nan"), one, (x for x in [1])])
def test_what_python_takes_for_true_or_false_by_accident_is_no_truth_value(accident: object) -> None:
    """Regression: a precondition that returned NaN, a text, or a function applied everywhere; without `return`, nowhere."""
    with pytest.raises(TypeError):
        truth(accident)


@pytest.mark.parametrize(("value", "expected"), [(np.bool_(True), True), (0, False), ([1], True), ((), False)])
def test_counts_and_lists_of_spikes_are_truth_values(value: object, expected: bool) -> None:
    assert truth(value) is expected


def test_a_text_that_reads_like_a_number_is_none() -> None:
    assert number(np.float32(1.5)) == 1.5
    for text in ("1.5", b"1.5"):
        with pytest.raises(TypeError):
            number(text)
