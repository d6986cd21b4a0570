"""A report's verdicts follow from its counts, and one that was touched does not."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spikecheck.report import json_file

REPORT = Path(__file__).parents[2] / "reports" / "reproduction.json"


def recheck(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "spikecheck", "recheck", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_reproduction_follows_from_its_counts_and_nothing_is_trained() -> None:
    done = recheck(REPORT)
    claims = len(json_file.read(REPORT).claims)
    assert (done.returncode, done.stdout.strip()) == (0, f"{claims} of {claims} verdicts follow from their counts")
    assert "torch" not in {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}


Touch = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("touch", "said"),
    [
        (lambda claim: claim.update(replicates="holds"), "replicates is holds, and what it rests on says fails"),
        (lambda claim: claim.update(generalises="holds"), "generalises is holds"),
        (lambda claim: claim.update(passed=True), "passed is true, which its answers do not say"),
        (lambda claim: claim["reference"].update(outcome="holds"), "reference: outcome is holds, and the counts say fails"),
        (lambda claim: claim["reference"].update(held=180), "reference: low is"),
        (lambda claim: claim["reference"].update(low=0.81), "reference: low is 0.81"),
        (lambda claim: claim["reference"].update(held=300), "are out of order"),
        (lambda claim: claim["reference"].update(applicable=187), "applicable is 187, and 188 seeds have a score"),
        (lambda claim: claim["control"].update(outcome="holds"), "control: outcome is holds, and the counts say fails"),
        (lambda claim: claim["tried"][3].update(outcome="holds"), "tried 3: outcome is holds"),
        (lambda claim: claim["robustness"][0]["judgement"].update(high=0.2), "high is 0.2"),
        (lambda claim: claim.update(floor=1.0), "reference: held is 137, and 0 seeds' effects lie within"),
    ],
)  # fmt: skip
def test_what_was_touched_is_named(touch: Touch, said: str, tmp_path: Path) -> None:
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    report["claims"] = [claim for claim in report["claims"] if claim["id"] == "condensation"]
    touch(report["claims"][0])
    path = tmp_path / "touched.json"
    path.write_text(json.dumps(report), encoding="utf-8")
    done = recheck(path)
    assert done.returncode == 1
    assert said in done.stdout
    assert done.stdout.splitlines()[-1] == "0 of 1 verdict follow from their counts"


def test_a_report_that_passes_though_its_claims_do_not(tmp_path: Path) -> None:
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    path = tmp_path / "touched.json"
    path.write_text(json.dumps({**report, "passed": True}), encoding="utf-8")
    assert "passed is true, and not every claim passes" in recheck(path).stdout
