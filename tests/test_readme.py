"""What README promises beyond what every page does (tests/docs/test_pages.py): its lines to copy, and its claim."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from spikecheck.harness.discover import read
from spikecheck.report import json_file
from spikecheck.report.outcomes import LOOKS
from tests.docs.pages import ROOT, assert_understood, blocks, commands

README = ROOT / "README.md"
SETUPS = [line for line in commands(README) if line.startswith("python3 -m venv")]
CHEAP = [line for line in commands(README) if re.fullmatch(r"spikecheck (list|explain \S+|store info)", line)]


def test_there_is_a_line_to_begin_with_and_one_for_the_tests() -> None:
    assert len(SETUPS) == 2


def test_the_claim_is_a_claim_file(tmp_path: Path) -> None:
    file = tmp_path / "falling_loss.py"
    file.write_text(blocks(README, "python")[0], encoding="utf-8")
    assert read(file).id == "falling-loss"


@pytest.mark.parametrize("line", CHEAP)
def test_the_cheap_calls_run(line: str) -> None:
    subprocess.run([sys.executable, "-m", *shlex.split(line)], check=True, capture_output=True)


def test_the_table_of_verdicts_is_the_reproductions() -> None:
    report = json_file.read(ROOT / "reports" / "reproduction.json.gz")
    verdicts = {verdict.id: verdict for verdict in report.claims}
    rows = re.findall(r"\| `([\w-]+)` \| (.+?) \| (.+?) \| (.+?) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) >= 15
    for claim, replicates, held, generalises in rows:
        found = verdicts[claim]
        answers = [f"{LOOKS[outcome].sign} {outcome}" for outcome in (found.replicates, found.generalises)]
        assert [replicates, generalises] == answers
        assert held == f"{found.reference.held}/{found.reference.applicable}"


@pytest.mark.parametrize("line", SETUPS)
def test_a_setup_is_one_line_that_needs_nothing_but_python(line: str) -> None:
    """It makes an environment of its own and installs at the tested versions; pip may be older than dependency groups."""
    make, install, call = (shlex.split(part) for part in line.split(" && "))
    folder = make[-1]
    extra = re.search(r"\[(\w+)\]", install[-1])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert install[:5] == [f"{folder}/bin/pip", "install", "-q", "-c", "constraints.txt"]
    assert extra is None or extra[1] in project["optional-dependencies"]
    assert call[0].startswith(f"{folder}/bin/")
    if call[0].endswith("/spikecheck"):
        assert_understood(call[1:])


def test_continuous_integration_runs_the_test_command_as_it_stands() -> None:
    search = re.search(r"grep .*'(.+)' README\.md", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert search is not None
    found = subprocess.run(["grep", "-E", search[1], "README.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == [line for line in SETUPS if "pytest" in line]
