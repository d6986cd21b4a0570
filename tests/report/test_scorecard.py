"""A scorecard as it is read: what is shown, in which order, and that nothing in it is more than text."""

from io import StringIO
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from spikecheck.core.scorecard import Change, Contestant, Place, Row, Scorecard
from spikecheck.core.setting import Setting
from spikecheck.report.scorecard import annotations, render_scorecard, scorecard_junit, scorecard_markdown


def row(name: str, change: Change, where: str = "") -> Row:
    figures = {"candidate": 1.5, "reference": 1.0, "difference": 0.5, "low": 0.4, "high": 0.6, "margin": 0.1}
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
    )


def card(*rows: Row, optimizer: str = "mine.py:Adam") -> Scorecard:
    who = Contestant(optimizer=optimizer, lr=0.1)
    return Scorecard(
        passed=not any(one.fails for one in rows),
        command="spikecheck gate",
        environment={},
        candidate=who,
        reference=who,
        against="trained beside it",
        alpha=0.05,
        places=(Place(name="sines", setting=Setting()),),
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
