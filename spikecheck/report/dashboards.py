"""A report for dashboards that know tests: JUnit's XML and CTRF's JSON. Pure functions of the report; one test a claim."""

import json
from xml.etree import ElementTree as ET

from spikecheck.core.verdict import Report, Verdict
from spikecheck.report.outcomes import standing
from spikecheck.report.phrases import unregistered
from spikecheck.report.sanitize import inert
from spikecheck.report.summary import answer

_STATUS = {"passes": "passed", "fails": "failed", "open": "other"}


def junit(report: Report) -> str:
    """What is open counts as skipped, a claim file that could not be read as an error."""
    stands = [_stands(verdict) for verdict in report.claims]
    counts = {"failures": stands.count("fails"), "skipped": stands.count("open"), "errors": len(report.unreadable)}
    tests = len(stands) + len(report.unreadable)
    root = ET.Element("testsuites")
    about = {"name": "spikecheck verify", "tests": str(tests), **{name: str(n) for name, n in counts.items()}}
    suite = ET.SubElement(root, "testsuite", about)
    for verdict, stand in zip(report.claims, stands, strict=True):
        case = _case(suite, verdict.id, verdict.seconds)
        if stand != "passes":
            ET.SubElement(case, {"fails": "failure", "open": "skipped"}[stand], message=_says(verdict))
        ET.SubElement(case, "system-out").text = _says(verdict)
    for file, reason in report.unreadable.items():
        ET.SubElement(_case(suite, inert(file), 0.0), "error", message=inert(reason))
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def ctrf(report: Report) -> str:
    """The Common Test Report Format (ctrf.io); what is open has the status other. Times count from the beginning."""
    tests = [
        {
            "name": verdict.id,
            "status": _STATUS[_stands(verdict)],
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
            "duration": 0,
            "message": inert(reason),
            "suite": ["spikecheck verify"],
        }
        for file, reason in report.unreadable.items()
    ]
    found = [test["status"] for test in tests]
    summary = {status: found.count(status) for status in ("passed", "failed", "pending", "skipped", "other")}
    times = {"start": 0, "stop": sum(int(str(test["duration"])) for test in tests)}
    tool = {"name": "spikecheck", "version": str(report.environment.get("spikecheck", ""))}
    results = {"tool": tool, "summary": {"tests": len(tests), **summary, **times}, "tests": tests}
    return json.dumps({"reportFormat": "CTRF", "specVersion": "0.0.0", "results": results}, indent=1) + "\n"


def _case(suite: ET.Element, name: str, seconds: float) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname="spikecheck.verify", name=name, time=f"{seconds:.3f}")


def _stands(verdict: Verdict) -> str:
    return standing(verdict, brief=True).plain.lower()


def _says(verdict: Verdict) -> str:
    mark = unregistered(verdict)
    return inert(f"{verdict.says}: {answer(verdict)}{f' ({mark})' if mark else ''}")
