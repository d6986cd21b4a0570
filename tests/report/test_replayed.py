"""What the terminal says of a replayed judgement: reproduced bit by bit, statistically, or not."""

from typing import Any

import pytest

from spikecheck.core.judgement import Outcome
from spikecheck.core.reproduction import Recorded, Reproduction
from spikecheck.report.replayed import render_reproduction
from tests.core.test_reproduction import judgement

OTHER: dict[str, Any] = {"scores": (0.1, None, 0.4)}


def shown(capture: Any, differs: tuple[str, ...] | None = None, width: int = 100, **changes: Any) -> str:
    reproduction = Reproduction(Recorded.of(judgement()), judgement(**changes), differs)
    text: str = capture(lambda console: render_reproduction(reproduction, "condensation", console), width=width)
    return text


def words(text: str) -> str:
    return " ".join(text.split())


def test_bitwise_needs_one_row(capture: Any) -> None:
    text = shown(capture)
    assert words(text) == "recorded reproduced bitwise: fails, and all seeds' effects have the recorded bits"


def test_statistically_names_estimate_and_interval_and_where_the_difference_is_told(capture: Any) -> None:
    text = words(shown(capture, **OTHER))
    assert "reproduced statistically: fails; recorded share 0.5 lies within 0.5 (0.1 to 0.9); bits differ" in text
    assert "differs to see, give the report: spikecheck replay condensation --report REPORT.json" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcome": Outcome.HOLDS}, "NOT reproduced: recorded fails with share 0.5; now holds with 0.5 (0.1 to 0.9)"),
        ({"seeds": (1, 2, 4)}, "NOT reproduced: these are other seeds than recorded"),
    ],
)
def test_what_is_not_reproduced_says_why(capture: Any, changes: dict[str, Any], said: str) -> None:
    assert said in words(shown(capture, **changes))


def test_what_differs_is_one_row_without_control_characters(capture: Any) -> None:
    text = shown(capture, ("torch 2.12.0, here 2.13.0", "compiler \x1b[31m, here none"), **OTHER)
    assert "differs torch 2.12.0, here 2.13.0; compiler" in words(text)
    assert "\x1b" not in text


def test_where_nothing_recorded_differs_the_row_says_what_is_left(capture: Any) -> None:
    assert "differs nothing that the report records: its numbers were edited" in words(shown(capture, (), **OTHER))
    assert words(shown(capture, ())).endswith("differs nothing")


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_rows_fit(capture: Any, width: int) -> None:
    for changes in ({}, OTHER, {"outcome": Outcome.HOLDS}, {"seeds": (1, 2, 4)}):
        assert all(len(line) <= width for line in shown(capture, (), width, **changes).splitlines())
