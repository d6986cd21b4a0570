"""A log's lines: what is not known is absent, and what cannot be is refused in one line that names it."""

import json
from typing import Any

import pytest

from spikecheck.core.errors import SettingError
from spikecheck.core.record import BEYOND_STEPS
from spikecheck.core.watched import SCHEMA, Header, LayerLook, Look, Step

HEADER = {"model": "MLP", "optimizer": "Adam", "parameters": 30, "every": 10, "started": "2026-11-28T20:00:00Z"}


def test_the_first_line_names_its_schema_under_the_key_that_readers_look_for() -> None:
    line = json.loads(Header(**HEADER).model_dump_json(by_alias=True))
    assert line["schema"] == SCHEMA == "spikecheck/watch@1"
    assert Header.model_validate(line).schema_name == SCHEMA


def test_what_is_not_known_is_absent_from_a_line() -> None:
    """A log of a million steps must not repeat what nobody measured, and JSON has no NaN."""
    assert json.loads(Step(step=3, not_finite="nan").model_dump_json(exclude_defaults=True)) == {
        "step": 3,
        "not_finite": "nan",
    }
    assert json.loads(Look(slope=-0.5).model_dump_json(exclude_defaults=True)) == {"slope": -0.5}


@pytest.mark.parametrize(
    ("kind", "whole", "name", "value"),
    [
        (Header, HEADER, "every", 0),
        (Header, HEADER, "parameters", -1),
        (LayerLook, {"weights": 1.0}, "update", -0.1),
        (LayerLook, {"update": 1.0, "weights": 1.0}, "surprise", -1.0),
        (Look, {}, "error", -1e-9),
        (Look, {}, "overshoot", float("nan")),
        (Look, {}, "slope_from", "guess"),
        (Step, {}, "step", -1),
        (Step, {}, "step", BEYOND_STEPS),
        (Step, {"step": 0}, "loss", float("inf")),
        (Step, {"step": 0}, "not_finite", "-nan"),
        (Step, {"step": 0}, "seconds", -1.0),
        (Step, {"step": 0}, "processes", 0),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(kind: Any, whole: dict[str, Any], name: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"^{name}="):
        kind(**{**whole, name: value})


def test_the_limits_themselves_are_taken() -> None:
    assert Step(step=BEYOND_STEPS - 1, seconds=0.0).processes == 1
    assert LayerLook(update=0.0, weights=0.0, surprise=0.0).gradient is None
    assert Header(**{**HEADER, "every": 1, "parameters": 0}).versions == {}
