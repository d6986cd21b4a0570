"""A scorecard as it is read: what is shown, in which order, and that nothing in it is more than text."""

from io import StringIO
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from spikecheck.core.scorecard import Change, Decision, OptimizerSpec, Row, Scorecard, SuiteSetting
from spikecheck.core.setting import Setting
from spikecheck.gate.comparison import decided
from spikecheck.gate.metrics import MEASURES
from spikecheck.report.scorecard import (
    annotations,
    refusal_annotation,
    refusal_junit,
    refusal_markdown,
    render_scorecard,
    scorecard_junit,
    scorecard_markdown,
)


def row(name: str, change: Change, where: str = "", looks_worse: bool = False, **other: Any) -> Row:
    figures: dict[str, Any] = {
        "candidate": 1.5,
        "reference": 1.0,
        "difference": 0.5,
        "low": 0.4,
        "high": 0.6,
        "margin": 0.1,
        **other,
    }
    return Row(
        name=name,
        where=where,
        unit="log10",
        **figures,
        p_worse=0.001,
        p_better=1.0,
        pairs=16,
        change=change,
        alarms=True,
        looks_worse=looks_worse,
    )


def card(*rows: Row, optimizer: str = "mine.py:Adam") -> Scorecard:
    who = OptimizerSpec(optimizer=optimizer, lr=0.1)
    decision, undecided = decided(rows, 16)
    return Scorecard(
        passed=decision is Decision.PASSED,
        decision=decision,
        undecided=undecided,
        command="spikecheck gate",
        environment={},
        candidate=who,
        reference=who,
        against="trained beside it",
        alpha=0.05,
        places=(SuiteSetting(name="sines", setting=Setting()),),
        seeds=16,
        root=0,
        rows=rows,
        runs_trained=1,
        runs_reused=0,
        seconds=1.0,
    )


def shown(found: Scorecard, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width, color_system=None)
    render_scorecard(found, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


MIXED = card(
    row("spikes", Change.SAME),
    row("spikes", Change.SAME, "sines"),
    row("final loss", Change.UNDECIDED),
    row("final loss", Change.WORSE, "mnist1d by batches"),
    row("final loss", Change.BETTER, "sines"),
    row("best loss", Change.WORSE),
    row("best loss", Change.WORSE, "sines"),
)


@pytest.mark.parametrize("width", [80, 120])
def test_single_settings_are_told_where_they_are_decided_otherwise(width: int) -> None:
    said = shown(MIXED, width)
    assert "worse in final loss in mnist1d by batches, best loss" in said
    assert "best loss in sines" not in said
    assert "spikes in sines" not in said
    lines = said.splitlines()
    order = [
        next(n for n, line in enumerate(lines) if line.startswith(name))
        for name in ("final loss in mnist1d by batches", "spikes")
    ]
    assert order == sorted(order)
    assert "…" not in said
    assert all(len(line) <= width for line in lines if "│" not in line and "REGRESSION" not in line)


def test_every_row_has_a_case_of_its_own_and_the_failing_ones_an_annotation() -> None:
    cases = [case.get("name") for case in ET.fromstring(scorecard_junit(MIXED)).iter("testcase")]
    assert cases == [one.title for one in MIXED.rows]
    assert [line.split("::")[2].split(":")[0] for line in annotations(MIXED)] == [
        "final loss in mnist1d by batches",
        "best loss",
    ]


def test_hostile_names_come_out_as_text() -> None:
    hostile = "<script>alert(1)</script>\x1b[31m|`[x](y)\x00\n::error::"
    found = card(row(hostile, Change.WORSE, hostile), optimizer=f"{hostile}:Adam")
    for said in (shown(found), scorecard_markdown(found), scorecard_junit(found), *annotations(found)):
        assert "\x1b" not in said
        assert "\x00" not in said
    assert "<script>" not in scorecard_markdown(found).replace("\\<script", "")
    assert "\n::error" not in "\n".join(annotations(found))[1:]
    ET.fromstring(scorecard_junit(found))


def test_rendering_twice_gives_the_same_bytes() -> None:
    assert (shown(MIXED), scorecard_markdown(MIXED)) == (shown(MIXED), scorecard_markdown(MIXED))


PLACES = ("sines", "wide sines", "mnist1d", "mnist1d by batches")


def everywhere(change: Change, **figures: Any) -> list[Row]:
    """Every property of the gate, in all settings and each."""
    return [row(m.name, change, where, **figures) for m in MEASURES for where in ("", *PLACES)]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_the_table_fits_every_terminal_with_whole_words(width: int) -> None:
    """Regression: at 100 columns cells came out one letter a line, and units were dropped."""
    far = {"candidate": -0.123456, "low": -1234.5, "high": None, "detectable": 123.4}
    said = shown(card(*everywhere(Change.WORSE, **far)), width)
    assert "…" not in said
    assert width < 60 or min(len(line) for line in said.splitlines() if line.strip()) > 1
    for measure in MEASURES:
        assert measure.name in said
    assert "log10" in said  # the unit
    if width >= 60:
        assert "+inf" in said


def test_what_is_worse_hides_neither_behind_the_mean_nor_behind_another_setting() -> None:
    """Regression: spikes came on mnist1d alone, and the row of all settings said `same`."""
    found = card(
        row("spikes", Change.SAME),
        row("spikes", Change.WORSE, "mnist1d", difference=0.6),
        row("spikes", Change.WORSE, "mnist1d by batches", difference=0.8),
        row("spikes", Change.SAME, "sines"),
    )
    said = shown(found)
    assert "REGRESSION: worse in spikes in mnist1d by batches and 1 more" in said
    (line,) = [line for line in said.splitlines() if line.startswith("spikes")]
    assert line.endswith("worse")


def test_what_looks_worse_in_one_setting_is_shown_there() -> None:
    found = card(row("spikes", Change.SAME), row("spikes", Change.UNDECIDED, "mnist1d", looks_worse=True))
    (line,) = [line for line in shown(found).splitlines() if line.startswith("spikes")]
    assert "spikes in mnist1d" in line
    assert line.endswith("looks worse")


NOT_DECIDED = card(
    row("spikes", Change.SAME),
    row("final loss", Change.UNDECIDED),
    row("diverged", Change.UNDECIDED, looks_worse=True),
)


def test_what_is_not_decided_is_called_so_in_every_form() -> None:
    """Regression: undecided rows were passes in JUnit, and the verdict `no regression`."""
    assert "UNDECIDED: diverged looks worse, but may not be" in shown(NOT_DECIDED)
    assert "no regression" not in shown(NOT_DECIDED)
    assert "spikecheck gate: UNDECIDED: diverged" in scorecard_markdown(NOT_DECIDED)
    suite = ET.fromstring(scorecard_junit(NOT_DECIDED))[0]
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "1", "1")
    (warning,) = annotations(NOT_DECIDED)
    assert warning.startswith("::warning title=spikecheck gate::diverged")


def test_a_gate_that_was_not_held_is_an_error_in_every_form() -> None:
    reason = "base.json: has been changed | since\n"
    suite = ET.fromstring(refusal_junit(reason))[0]
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    assert "not held" in refusal_markdown(reason)
    assert refusal_annotation(reason).startswith("::error")
    assert refusal_annotation(reason).count("\n") == 0
