"""Reports from before answers had controls of their own and rules were estimands: readable, shown and rechecked.

The file is the reproduction of then, reduced to three claims; the search's, the map's and the variations' scores are left out.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spikecheck.core.verdict import Report
from spikecheck.gate.report_diff import compared
from spikecheck.harness.recheck import recheck
from spikecheck.report import json_file
from spikecheck.report.dashboards import ctrf, junit
from spikecheck.report.familywise import together
from spikecheck.report.html import html
from spikecheck.report.markdown import markdown
from spikecheck.report.terminal import render

Make = Callable[..., Any]
OLD = Path(__file__).with_name("report_before_answers.json")
NOTHING = re.compile(r"\bNone\b|\bnan\b|\binf\b")


@pytest.fixture(scope="module")
def old() -> Report:
    return json_file.read(OLD)


def test_it_is_of_before(old: Report) -> None:
    assert [(v.id, v.replicates, v.generalises) for v in old.claims] == [
        ("condensation", "fails", "fails"),
        ("gradient-curvature-onset", "holds", "holds"),
        ("rapid-descent", "invalid", "invalid"),
    ]
    assert all(not v.answers and not v.predicts and v.reach is None and v.beside for v in old.claims)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [80, 100, 120])
def test_it_is_shown_with_what_it_has(capture: Make, old: Report, width: int, encoding: str) -> None:
    text = capture(lambda console: render(old, console), width=width, encoding=encoding)
    assert not NOTHING.search(text)
    assert all(len(line) <= width for line in text.splitlines() if not line.startswith("spikecheck replay"))
    for outcome in ("FAILS", "HOLDS", "INVALID"):
        assert outcome in text
    assert "setting B: not judged on fresh seeds" in text  # what it has of it is of the search
    assert "the strongest setting found, on fresh seeds" in " ".join(text.split())
    assert len(re.findall(r"^ +decides +the share of seeds, which must be at least 80 %", text, re.MULTILINE)) == 6
    for new in ("contrast ", "planted ", "reach ", "open "):
        assert not re.search(rf"^  {new}", text, re.MULTILINE)


@pytest.mark.parametrize("form", [html, markdown, junit, ctrf])
def test_it_is_written_in_every_other_form(old: Report, form: Callable[[Report], str]) -> None:
    text = form(old)
    assert not NOTHING.search(text)
    assert text == form(old)
    assert "condensation" in text


def test_it_follows_from_its_counts_and_is_like_itself(old: Report) -> None:
    assert recheck(old) == {}
    found = compared(OLD, OLD)
    assert [line.kind for line in found.lines] == ["same"] * 3
    assert not NOTHING.search("".join(line.before for line in found.lines))


def test_its_claims_are_a_family_too(old: Report) -> None:
    assert together(old).startswith("Each claim is judged by itself. With all 3 as one family (Holm), ")
