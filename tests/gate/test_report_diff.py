"""Two reports side by side: what is said of each claim, whatever decides it."""

from pathlib import Path
from typing import Any

import pytest

from spikecheck.core.errors import UsageError
from spikecheck.core.judgement import Effect, Outcome
from spikecheck.core.reach import Reach
from spikecheck.core.verdict import Report, Verdict
from spikecheck.gate.report_diff import compared
from spikecheck.report import json_file
from tests.commands.planted import FAILS, HOLDS, UNDECIDED, verdict


def written(path: Path, *verdicts: Verdict) -> Path:
    environment: dict[str, str | int | float] = {}
    report = Report(
        passed=False, command="spikecheck verify", profile="ci", seed=0, environment=environment, claims=verdicts
    )
    json_file.write(report, path)
    return path


def averaged(found: Verdict, estimand: str) -> Verdict:
    effect = Effect(unit="ratio", median=0.5, low=0.4, high=0.6, mean=0.52, mean_low=0.43, mean_high=0.61)
    changes: dict[str, Any] = {"effect": effect, "estimand": estimand}
    if estimand != "share":
        changes["required"] = None
    return found.model_copy(update={"reference": found.reference.model_copy(update=changes)})


@pytest.mark.parametrize(
    ("estimand", "said"),
    [
        ("share", "60/64, 86 to 98 %, mean 0.52 (0.43 to 0.61)"),
        ("mean", "mean 0.52 (0.43 to 0.61), 60/64, 86 to 98 %"),
        ("equivalence", "mean 0.52 (0.43 to 0.61), 60/64, 86 to 98 %"),
        ("median", "median 0.5 (0.4 to 0.6), 60/64, 86 to 98 %"),
    ],
)
def test_what_decides_comes_first_and_the_other_with_it(tmp_path: Path, estimand: str, said: str) -> None:
    before = averaged(verdict("slas", "law", HOLDS, HOLDS), estimand)
    after = before.model_copy(update={"replicates": Outcome.FAILS, "passed": False})
    found = compared(written(tmp_path / "a.json", before), written(tmp_path / "b.json", after))
    (line,) = found.lines
    assert line.kind == "regressed"
    assert line.before == f"replicates holds ({said}), generalises holds"
    assert line.after.startswith("replicates FAILS (")


def test_reach_is_told_where_it_was_estimated(tmp_path: Path) -> None:
    reach = Reach(settings=27, of=1_024, seeds=16, holds=19, triggered=24, low=0.578, high=0.929)
    found = verdict("slas", "law", UNDECIDED, FAILS).model_copy(update={"reach": reach})
    path = written(tmp_path / "a.json", found)
    (line,) = compared(path, path).lines
    assert line.kind == "same"
    assert line.before.endswith("generalises FAILS (in 19 of 24 settings)")


def test_a_report_of_before_has_no_mean(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", verdict("slas", "law", HOLDS, HOLDS))
    (line,) = compared(path, path).lines
    assert line.before == "replicates holds (60/64, 86 to 98 %), generalises holds"


@pytest.mark.parametrize("content", ["[" * 100_000, '{"schema": []}', '{"schema": {"a": 1}}', "3", ""])
def test_what_is_no_report_is_one_line(tmp_path: Path, content: str) -> None:
    """Regression: many levels, and a schema that is a list, were internal errors."""
    (tmp_path / "foreign.json").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="give (a )?files? (written|that)"):
        compared(tmp_path / "foreign.json", tmp_path / "foreign.json")


def test_compressed_reports_are_compared_as_their_content_is(tmp_path: Path) -> None:
    """Regression: `compare` said of a report.json.gz, which `report` and `recheck` read, that it is not JSON."""
    plain, small = (
        written(tmp_path / name, verdict("slas", "law", HOLDS, HOLDS)) for name in ("report.json", "report.json.gz")
    )
    assert small.read_bytes()[:2] == b"\x1f\x8b"
    assert compared(plain, small).lines == compared(plain, plain).lines
