"""JUnit and CTRF: one test for each claim, three states, and a user's text is never taken for markup."""

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

from spikecheck.core.judgement import Outcome
from spikecheck.report.dashboards import ctrf, junit

Make = Callable[..., Any]
HOSTILE = "\x1b[31m]]></system-out><script>alert(1)</script> & \x00 \u202e"


def three(report: Make, verdict: Make) -> Any:
    return report(
        verdict(id="fine"),
        verdict(Outcome.FAILS, id="wrong", says=HOSTILE),
        verdict(Outcome.UNDECIDED, Outcome.UNDECIDED, id="unsure"),
        unreadable={"broken.py": HOSTILE},
    )


def test_junit_has_a_case_a_claim(report: Make, verdict: Make) -> None:
    text = junit(three(report, verdict))
    assert text == junit(three(report, verdict))
    suite = ET.fromstring(text).find("testsuite")
    assert suite is not None
    assert [suite.get(name) for name in ("tests", "failures", "skipped", "errors")] == ["4", "1", "0", "2"]
    kinds = {case.get("name"): [part.tag for part in case] for case in suite}
    assert kinds == {
        "fine": ["system-out"],
        "wrong": ["failure", "system-out"],
        "unsure": ["error", "system-out"],
        "broken.py": ["error"],
    }
    assert suite.find(".//script") is None


def test_ctrf_has_what_its_schema_requires(report: Make, verdict: Make) -> None:
    text = ctrf(three(report, verdict))
    found = json.loads(text)
    assert found["reportFormat"] == "CTRF"
    results = found["results"]
    assert results["tool"]["name"] == "spikecheck"
    summary = results["summary"]
    assert {name: summary[name] for name in ("tests", "passed", "failed", "skipped", "pending", "other")} == {
        "tests": 4,
        "passed": 1,
        "failed": 2,
        "skipped": 0,
        "pending": 0,
        "other": 1,
    }
    assert summary["stop"] >= summary["start"]
    assert [test["status"] for test in results["tests"]] == ["passed", "failed", "other", "failed"]
    assert "\\u001b" not in text


def test_messages_hold_share_average_and_the_mark(report: Make, guarded: Make) -> None:
    for text in (junit(report(guarded(registered="with"))), ctrf(report(guarded(registered="with")))):
        assert "93.8 % of the seeds show it" in text
        assert "is 0.0431 (0.0312 to 0.055)" in text
        assert "(rule not shown to be written before its data)" in text
    assert "rule not shown" not in junit(report(guarded(registered="before")))
