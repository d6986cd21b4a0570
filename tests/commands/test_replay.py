"""`spikecheck replay` end to end: real processes and trainings, a report and its line, and whether they are reproduced."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import Told, called


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, small_claim: Callable[..., str]) -> Path:
    """A folder with a claim that fails, and the report of its verification."""
    folder = tmp_path_factory.mktemp("replay")
    (folder / "mine").mkdir()
    (folder / "mine" / "nought.py").write_text(small_claim(steps=40, below=1e-6))
    done = run(folder, "verify", "--claims-path", "mine", "--claim", "nought", "--json", "report.json", "--quiet")
    assert done.returncode == 1, done.stderr
    return folder


def run(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in {"CI", "COLUMNS", "FORCE_COLOR"}}
    environment = {**inherited, "SPIKECHECK_STORE": str(folder / "store"), "COLUMNS": "100", **env}
    command = [sys.executable, "-W", "error", "-m", "spikecheck", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def run_here(folder: Path, *words: str) -> Told:
    """As `run` in this process, which is another one than the report's and has imported torch."""
    return called(folder, *words, SPIKECHECK_STORE=str(folder / "store"), COLUMNS="100")


def report(folder: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return parsed


def line(folder: Path) -> list[str]:
    return shlex.split(report(folder)["claims"][0]["counterexample"]["replay"])[1:]


def again(folder: Path, *words: str, **env: str) -> tuple[int, str]:
    """Replay without a store, so that everything is trained; the exit code, and the output as one line.

    In a process of its own where its environment differs, since torch reads that when it is imported.
    """
    whole = (*words, "--no-store", "--executor", "local", "--quiet")
    done = run(folder, *whole, **env) if env else run_here(folder, *whole)
    assert "Traceback" not in done.stderr
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def edited(folder: Path, name: str, edit: Callable[[dict[str, Any]], object]) -> str:
    parsed = report(folder)
    edit(parsed)
    (folder / name).write_text(json.dumps(parsed))
    return name


def test_a_reports_line_is_reproduced_bitwise_with_any_number_of_threads(found: Path) -> None:
    assert line(found)[-2] == "--gave"
    code, said = again(found, *line(found), OMP_NUM_THREADS="2", MKL_NUM_THREADS="2")
    assert (code, "reproduced bitwise: fails" in said) == (0, True), said


def test_with_the_report_what_differs_is_said_too(found: Path) -> None:
    code, said = again(found, "replay", "--report", "report.json")
    assert (code, "reproduced bitwise: fails" in said, said.endswith("differs nothing")) == (0, True, True), said
    assert again(found, "replay", "nought", "--report", "report.json", "--claims-path", "mine") == (code, said)


def test_other_vector_instructions_reproduce_statistically_and_are_named(found: Path) -> None:
    """ATen's kernels without vector instructions round differently in the last bits."""
    scalar = {"ATEN_CPU_CAPABILITY": "default"}
    code, said = again(found, *line(found), **scalar)
    assert (code, "reproduced statistically: fails" in said) == (0, True), said
    code, said = again(found, "replay", "--report", "report.json", **scalar)
    assert (code, "reproduced statistically: fails" in said) == (0, True), said
    there = report(found)["environment"]["device"]
    assert f"differs device {there}, here cpu" in said


def test_a_claim_whose_threshold_was_changed_does_not_reproduce(found: Path, small_claim: Callable[..., str]) -> None:
    (found / "theirs").mkdir()
    (found / "theirs" / "nought.py").write_text(small_claim(steps=40, below=1.0))
    code, said = again(found, "replay", "--report", "report.json", "--claims-path", "theirs")
    assert (code, "NOT reproduced: recorded fails with share 0; now holds with" in said) == (1, True), said
    assert f"differs the claim's specification {report(found)['claims'][0]['specification']}, here" in said


def test_a_report_whose_setting_was_changed_does_not_reproduce(found: Path) -> None:
    def edit(parsed: dict[str, Any]) -> None:
        parsed["claims"][0]["counterexample"]["setting"]["lr"] = 0.01

    code, said = again(found, "replay", "--report", edited(found, "recipe.json", edit))
    assert (code, "NOT reproduced: these are other seeds than recorded, so the setting" in said) == (1, True), said


def test_a_line_whose_setting_was_changed_does_not_reproduce(found: Path) -> None:
    code, said = again(found, *line(found), "--at", "lr=0.01")
    assert (code, "NOT reproduced: these are other seeds than recorded, so the setting" in said) == (1, True), said


def test_a_report_whose_effects_were_changed_is_not_bitwise(found: Path) -> None:
    def edit(parsed: dict[str, Any]) -> None:
        parsed["claims"][0]["counterexample"]["judgement"]["scores"][0] *= 1.0 + 2**-52

    _, said = again(found, "replay", "--report", edited(found, "effects.json", edit))
    assert "reproduced statistically" in said
    assert "differs nothing that the report records: its numbers were edited" in said


def test_another_version_in_the_report_is_named_even_if_no_bit_differs(found: Path) -> None:
    name = edited(found, "older.json", lambda parsed: parsed["environment"].update(torch="2.6.0"))
    code, said = again(found, "replay", "--report", name)
    assert (code, "reproduced bitwise" in said, "differs torch 2.6.0, here 2." in said) == (0, True, True), said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--at", "lr=0.1"], "--at: --report has its own; leave out --at or --report"),
        (["--seeds", "64"], "--seeds: --report has its own"),
        (["--gave", "fails,0,00000000,00000000"], "--gave: --report has its own"),
        (["condensation"], "has no counterexample of condensation; it has those of: nought"),
    ],
)
def test_options_that_the_report_decides_are_refused(found: Path, words: list[str], said: str) -> None:
    done = run_here(found, "replay", *words, "--report", "report.json")
    assert (done.returncode, done.stderr.count("\n"), said in done.stderr) == (2, 1, True), done.stderr
