"""One word a state, in every form: the tables of docs/reference/outcomes.md are held against every renderer."""

import json
import re
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from _spikecheck_pytest import pytest_report_teststatus
from spikecheck.core.judgement import Outcome
from spikecheck.core.scorecard import Change, Decision, OptimizerSpec, Row, Scorecard, SuiteSetting
from spikecheck.core.setting import Setting
from spikecheck.core.verdict import Report, Verdict, exit_code
from spikecheck.gate.comparison import decided
from spikecheck.report.claim_item import complaint, properties
from spikecheck.report.dashboards import ctrf, junit
from spikecheck.report.html import html
from spikecheck.report.markdown import markdown
from spikecheck.report.outcomes import STATES, word_of
from spikecheck.report.scorecard import refusal_junit, render_scorecard, scorecard_junit, scorecard_markdown
from spikecheck.report.scorecard_page import scorecard_html
from spikecheck.report.terminal import render

Make = Callable[..., Any]
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "outcomes.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its first two lines."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


ANSWERS, CLAIMS = table("The answer to one question"), table("A claim")
ROWS, GATES = table("A row of the gate"), table("A gate")


def gallery() -> ModuleType:
    """The documentation's extension, which is no package of ours."""
    spec = spec_from_file_location("gallery", ROOT / "docs" / "_extension" / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def printed(report: Report) -> str:
    console = Console(file=StringIO(), width=100, color_system=None)
    render(report, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_tables_have_every_state() -> None:
    assert [row[0] for row in ANSWERS] == list(Outcome)
    assert [row[0] for row in CLAIMS] == list(STATES)
    assert {row[0] for row in ROWS} == {*Change, "looks worse"}
    assert [row[2] for row in GATES[:3]] == list(Decision)


@pytest.mark.parametrize("line", ANSWERS, ids=lambda line: line[0])
def test_an_answer_has_its_word_everywhere(report: Make, guarded: Make, line: list[str]) -> None:
    word, _, terminal, written, under_pytest = line
    found: Verdict = guarded(Outcome(word), Outcome(word))
    made = report(found)
    assert f"Does it replicate?  {terminal}" in printed(made)
    assert f"Does it replicate? {written}" in text_of(html(made))
    assert f"**Does it replicate? {written}.**" in markdown(made)
    assert f"| {written} |" in gallery().page(made, "")
    assert told_by_pytest(found, "replicates") == under_pytest


def told_by_pytest(verdict: Verdict, question: str) -> str:
    """What `pytest -v` says of an item."""
    says = complaint(verdict, question, strict=False)
    report = pytest.TestReport(
        nodeid=question,
        location=("", 0, ""),
        keywords={},
        outcome="failed" if says else "passed",
        longrepr=None,
        when="call",
        user_properties=properties(verdict, question),
    )
    told = pytest_report_teststatus(report)
    return told[2] if told is not None else report.outcome.upper()


def verdicts_of(guarded: Make, word: str) -> list[Verdict]:
    """Claims that come to a word: by each of their answers, as law and as tendency."""
    if word == "passes":
        return [guarded(), guarded(Outcome.HOLDS, Outcome.FAILS)]
    if word == "fails":
        return [guarded(Outcome.FAILS, Outcome.FAILS), guarded(Outcome.FAILS, Outcome.FAILS, kind="law")]
    return [guarded(Outcome(word), Outcome.FAILS), guarded(Outcome(word), Outcome(word), kind="law")]


@pytest.mark.parametrize("line", CLAIMS, ids=lambda line: line[0])
def test_a_claim_has_its_word_everywhere(report: Make, guarded: Make, line: list[str]) -> None:
    word, terminal, written, in_junit, in_ctrf, code = line
    for found in verdicts_of(guarded, word):
        if found.kind == "law" and word not in ("passes", "fails") and found.generalises is Outcome.FAILS:
            continue  # a confirmed counterexample refutes a law
        made = report(found, found.model_copy(update={"id": "another"}))
        assert word_of(found) == word
        rows = [row for row in printed(made).splitlines() if row.startswith("condensation ")]
        assert f": {terminal}" in rows[0]
        assert rows[-1].split()[-1] == terminal
        assert f"condensation: {written}" in text_of(html(made))
        assert f"| {written} |\n" in markdown(made)
        assert f"**{written.capitalize()}.** " in markdown(made)
        assert f"| {written} |\n" in gallery().page(made, "")
        assert exit_code(made) == int(code)
        in_junit_too(junit(made), word, in_junit)
        in_ctrf_too(ctrf(made), word, in_ctrf)


def in_junit_too(text: str, word: str, state: str) -> None:
    case = next(ET.fromstring(text).iter("testcase"))
    kinds = [part for part in case if part.tag != "system-out"]
    assert [part.tag for part in kinds] == ([] if state == "passed" else [state])
    assert all(part.get("type") == word for part in kinds)
    assert all(str(part.get("message")).startswith(f"{word.upper()}. ") for part in kinds)
    assert str(case.findtext("system-out")).startswith(f"{word.upper()}. ")


def in_ctrf_too(text: str, word: str, state: str) -> None:
    test = json.loads(text)["results"]["tests"][0]
    assert (test["status"], test["rawStatus"]) == (state, word)
    assert test["message"].startswith(f"{word.upper()}. ")


def test_what_is_not_decided_is_nowhere_a_pass_and_nowhere_called_open(report: Make, guarded: Make) -> None:
    made = report(guarded(Outcome.UNDECIDED, Outcome.UNDECIDED))
    assert not re.search(r"\bopen\b", printed(made), re.IGNORECASE)
    suite = ET.fromstring(junit(made)).find("testsuite")
    assert suite is not None
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "1", "0")


# ---- the gate --------------------------------------------------------------------------------------------------------------


def planted_row(change: Change, *, looks_worse: bool = False, alarms: bool = True) -> Row:
    figures = {"candidate": 1.5, "reference": 1.0, "difference": 0.5, "low": 0.4, "high": 0.6, "margin": 0.1}
    return Row(
        name="spikes", unit="per 1,000 steps", **figures, p_worse=0.01, p_better=1.0, pairs=16,
        change=change, alarms=alarms, looks_worse=looks_worse,
    )  # fmt: skip


def planted_card(*rows: Row) -> Scorecard:
    who = OptimizerSpec(optimizer="adam", lr=0.1)
    decision, undecided = decided(rows, 16)
    return Scorecard(
        passed=decision is Decision.PASSED, decision=decision, undecided=undecided, command="spikecheck gate",
        environment={}, candidate=who, reference=who, against="trained beside it", alpha=0.05,
        places=(SuiteSetting(name="sines", setting=Setting()),), seeds=16, root=0, rows=rows, runs_trained=1,
        runs_reused=0, seconds=1.0,
    )  # fmt: skip


def shown(found: Scorecard) -> str:
    console = Console(file=StringIO(), width=100, color_system=None)
    render_scorecard(found, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def row_called(word: str) -> Row:
    return planted_row(Change.UNDECIDED, looks_worse=True) if word == "looks worse" else planted_row(Change(word))


@pytest.mark.parametrize("line", ROWS, ids=lambda line: line[0])
def test_a_row_has_its_word_everywhere(line: list[str]) -> None:
    word, _, written, in_junit = line
    found = planted_card(row_called(word))
    sign, _, said = written.partition(" ")
    assert said == word
    assert any(row.startswith("spikes") and row.rstrip().endswith(written) for row in shown(found).splitlines())
    assert re.search(rf"\| {re.escape(sign)} \| spikes .*\| {word} \|", scorecard_markdown(found))
    kinds = [part for part in next(ET.fromstring(scorecard_junit(found)).iter("testcase")) if part.tag != "system-out"]
    assert [part.tag for part in kinds] == ([] if in_junit == "passed" else [in_junit])
    assert all(part.get("type") == word for part in kinds)
    assert re.search(rf'class="badge \w*">{re.escape(written)}</span>', scorecard_html(found))


def test_a_row_that_raises_no_alarm_passes_whatever_it_is() -> None:
    cases = ET.fromstring(
        scorecard_junit(
            planted_card(*(planted_row(change, alarms=False) for change in Change), planted_row(Change.SAME))
        )
    ).iter("testcase")
    assert all([part.tag for part in case] == ["system-out"] for case in cases)


@pytest.mark.parametrize(("line", "word"), list(zip(GATES, ("same", "worse", "looks worse"), strict=False)))
def test_a_gate_has_its_word_everywhere(line: list[str], word: str) -> None:
    _, terminal, decision, in_junit, _, _ = line
    found = planted_card(row_called(word))
    assert str(found.decision) == decision
    assert shown(found).startswith(terminal)
    assert f"spikecheck gate: {terminal}" in scorecard_markdown(found)
    assert f"<title>spikecheck gate: {terminal}" in scorecard_html(found)
    assert (ET.fromstring(scorecard_junit(found)).find(f".//{in_junit}") is not None) is (in_junit != "passed")


def test_a_gate_that_could_not_be_held_is_an_error() -> None:
    assert ET.fromstring(refusal_junit("the baseline is missing")).find(".//error") is not None


def test_scorecards_from_before_the_word_can_be_read() -> None:
    assert Decision("not decided") is Decision.NOT_DECIDED
    with pytest.raises(ValueError, match="is not a valid"):
        Decision("open")
