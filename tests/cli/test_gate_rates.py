"""The rates of a gate: given or tuned, on the command line, in pyproject.toml, or in a baseline."""

from typing import Any

import pytest

from spikecheck.cli.gate_rates import numbers_of, tuned_range
from spikecheck.core.errors import UsageError
from spikecheck.core.scorecard import Baseline

RANGE, WIDE = "lr=0.0001..0.1", "lr=0.001..1"


def baseline(**conditions: Any) -> Baseline:
    known: dict[str, Any] = {"conditions": conditions}
    return Baseline.model_construct(**known)


@pytest.mark.parametrize(
    ("given", "project", "known", "tuned"),
    [
        ({}, {}, None, None),
        ({"tune": "lr=1e-4..1e-1"}, {}, None, RANGE),
        ({"tune": RANGE}, {"tune": WIDE}, baseline(tune=WIDE), RANGE),
        ({}, {"tune": WIDE}, None, WIDE),
        ({}, {"tune": WIDE}, baseline(tune=RANGE), RANGE),
        ({}, {"tune": WIDE}, baseline(), None),
        ({"numbers": ("lr=0.01",)}, {"tune": WIDE}, None, None),
        ({"numbers": ("betas=0.9,0.99",)}, {"tune": WIDE}, None, WIDE),
    ],
)
def test_the_command_line_comes_before_a_baseline_and_that_before_the_project(
    given: dict[str, Any], project: dict[str, Any], known: Baseline | None, tuned: str | None
) -> None:
    assert tuned_range(given, project, known) == tuned


def test_what_is_typed_overrides_the_project() -> None:
    project = {"set": {"lr": 0.1, "momentum": 0.9}}
    assert numbers_of({"numbers": ("lr=0.01",)}, project, "set", "numbers", None) == {"lr": 0.01, "momentum": 0.9}
    assert numbers_of({}, {}, "set", "numbers", None) == {}


def test_a_rate_that_is_tuned_stands_at_the_middle_of_the_range_until_then() -> None:
    numbers = numbers_of({"numbers": ("momentum=0.9",)}, {}, "set", "numbers", "lr=1e-4..1e-2")
    assert numbers == {"momentum": 0.9, "lr": pytest.approx(1e-3)}


@pytest.mark.parametrize(
    ("given", "project"),
    [
        ({"numbers": ("lr=0.01",), "tune": RANGE}, {}),
        ({}, {"set": {"lr": 0.01}, "tune": RANGE}),
    ],
)
def test_a_rate_is_given_or_tuned(given: dict[str, Any], project: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"^--tune lr=.*, --set lr=0.01: the rate is given or tuned; leave out one$"):
        numbers_of(given, project, "set", "numbers", RANGE)


def test_a_range_on_the_command_line_overrides_the_projects_rate() -> None:
    numbers = numbers_of({"tune": "lr=1e-4..1e-2"}, {"set": {"lr": 0.5}}, "set", "numbers", "lr=1e-4..1e-2")
    assert numbers == {"lr": pytest.approx(1e-3)}
