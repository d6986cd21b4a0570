"""A report for test dashboards, one test a claim: JUnit XML and CTRF JSON. Pure functions of the report."""

import json
from xml.etree import ElementTree as ET

from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.outcomes import STATES, word_of
from spikecheck.report.phrases import unregistered
from spikecheck.report.sanitize import inert
from spikecheck.report.summary import answer


def junit(report: Report) -> str:
    """The report as JUnit XML. A claim that neither passes nor fails, and an unreadable claim file, are errors.

    JUnit's other state, skipped, is not used: dashboards show it as success.
    """
    states = [STATES[word_of(verdict)].junit for verdict in report.claims]
    errors = states.count("error") + len(report.unreadable)
    counts = {"failures": states.count("failure"), "errors": errors, "skipped": 0}
    tests = len(states) + len(report.unreadable)
    root = ET.Element("testsuites")
    about = {"name": "spikecheck verify", "tests": str(tests), **{name: str(n) for name, n in counts.items()}}
    suite = ET.SubElement(root, "testsuite", about)
    for verdict, state in zip(report.claims, states, strict=True):
        case = _case(suite, verdict.id, verdict.seconds)
        if state:
            ET.SubElement(case, state, type=word_of(verdict), message=_says(verdict))
        ET.SubElement(case, "system-out").text = _says(verdict)
    for file, reason in report.unreadable.items():
        ET.SubElement(_case(suite, inert(file), 0.0), "error", type="unreadable", message=inert(reason))
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def ctrf(report: Report) -> str:
    """The report in the Common Test Report Format (ctrf.io), JSON. Durations are in milliseconds.

    A claim that neither passes nor fails has the status "other"; `rawStatus` is spikecheck's word for it.
    """
    tests = [
        {
            "name": verdict.id,
            "status": STATES[word_of(verdict)].ctrf,
            "rawStatus": word_of(verdict),
            "duration": round(1_000 * verdict.seconds),
            "message": _says(verdict),
            "suite": ["spikecheck verify"],
        }
        for verdict in report.claims
    ]
    tests += [
        {
            "name": inert(file),
            "status": "failed",
            "rawStatus": "unreadable",
            "duration": 0,
            "message": inert(reason),
            "suite": ["spikecheck verify"],
        }
        for file, reason in report.unreadable.items()
    ]
    statuses = [test["status"] for test in tests]
    summary = {status: statuses.count(status) for status in ("passed", "failed", "pending", "skipped", "other")}
    times = {"start": 0, "stop": sum(int(str(test["duration"])) for test in tests)}
    tool = {"name": "spikecheck", "version": str(report.environment.get("spikecheck", ""))}
    results = {"tool": tool, "summary": {"tests": len(tests), **summary, **times}, "tests": tests}
    return json.dumps({"reportFormat": "CTRF", "specVersion": "0.0.0", "results": results}, indent=1) + "\n"


def _case(suite: ET.Element, name: str, seconds: float) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname="spikecheck.verify", name=name, time=f"{seconds:.3f}")


def _says(verdict: Verdict) -> str:
    """The claim's word, the answer in plain sentences, and the claim itself."""
    mark = unregistered(verdict)
    return inert(f"{word_of(verdict).upper()}. {answer(verdict)} Claimed: {verdict.says}{f' ({mark})' if mark else ''}")
