"""Numbers that no machine can follow, on the command line or in pyproject.toml: one line, exit code 2."""

import shlex
import sys
from pathlib import Path

import pytest

from spikecheck.cli.main import main

HUGE = "99999999999999999999999"
GATE = "gate --plan --optimizer gd --set lr=0.05 --against adam"
PROJECT = '[tool.spikecheck]\noptimizer = "gd"\nagainst = "adam"\nset = {lr = 0.05}\n'


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Refused":
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "300")
    return Refused(tmp_path, monkeypatch, capsys)


class Refused:
    """Runs a command that must be refused, and returns its only line."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._monkeypatch, self._capsys = folder, monkeypatch, capsys

    def __call__(self, command: str, project: str = "", code: int = 2) -> str:
        if project:
            (self._folder / "pyproject.toml").write_text(project, encoding="utf-8")
        self._monkeypatch.setattr(sys, "argv", ["spikecheck", *shlex.split(command)])
        with pytest.raises(SystemExit) as left:
            main()
        lines = self._capsys.readouterr().err.splitlines()
        assert (left.value.code, len(lines)) == (code, 1), lines
        return lines[0]


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (f"replay condensation --seeds {HUGE}", "--seeds"),
        (f"map --claim spikes-come --x lr --y width --seeds {HUGE}", "--seeds"),
        (f"verify --workload mlp --seeds {HUGE} --plan", "--seeds"),
        (f"{GATE} --seeds {HUGE}", "--seeds"),
        (f"diagnose --workload mlp --seed {HUGE}", "--seed"),
        (f"diagnose --workload mlp --steps {HUGE}", "--steps"),
        (f"verify --seed {HUGE} --plan", "--seed"),
        (f"selftest --rounds {HUGE}", "--rounds"),
    ],
)
def test_a_count_that_nobody_can_mean_is_refused_with_its_range(refused: Refused, command: str, option: str) -> None:
    assert f"'{option}': {HUGE} is not in the range" in refused(command)


def test_a_part_beyond_the_claims_is_refused_whatever_its_number(refused: Refused) -> None:
    assert "use fewer parts" in refused(f"verify --shard {HUGE}/{HUGE} --plan", code=5)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("seeds = 0", "seeds=0: give a whole number, 2 to"),
        ("seeds = -4", "seeds=-4: give a whole number, 2 to"),
        (f"seeds = {HUGE}", f"seeds={HUGE}: give a whole number, 2 to"),
        ("seed = -1", "seed=-1: give a whole number, 0 to"),
        ("conditions = {steps = true}", "steps=True: is no"),
        ('problem = "nosuch"', "no problem is called 'nosuch'"),
        ('dataset = ""', "no problem is called ''"),
        ('model = "nosuch"', "no model is called 'nosuch'"),
        ('workload = "mlp"\ndataset = "digits"', "--workload mlp, --dataset digits: a workload has its own"),
    ],
)
def test_pyproject_is_read_as_strictly_as_the_command_line(refused: Refused, line: str, says: str) -> None:
    assert says in refused("gate --plan", PROJECT + line + "\n")


@pytest.mark.parametrize(
    "project",
    ["tool = 3\n", "[tool]\nspikecheck = 5\n", "[tool]\nspikecheck = []\n", '[[tool.spikecheck]]\noptimizer = "gd"\n'],
)
def test_what_is_no_table_is_refused(refused: Refused, project: str) -> None:
    assert "pyproject.toml: [tool.spikecheck] is " in refused("gate --plan", project)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--problem nosuch", "no problem is called 'nosuch'"),
        ("--at width=True --problem sines", "width=True: is no"),
        ("--at interval=False --problem sines", "interval=False: is no"),
    ],
)
def test_a_plan_is_refused_where_the_gate_would_be(refused: Refused, options: str, says: str) -> None:
    assert says in refused(f"{GATE} {options}")


def test_a_plan_needs_the_optimizer_that_it_is_for(refused: Refused) -> None:
    assert "no module 'nosuch'" in refused("gate --plan --optimizer nosuch:X --set lr=0.1 --against adam")


@pytest.mark.parametrize(
    "words",
    [
        "--set lr=0.1",
        "--steps 50",
        "--at size=small",
        "--arm mine:arm",
        "--seed 5",
        "--budget 5s",
        "--store runs",
        "--html x.html",
    ],
)
def test_options_that_a_log_alone_would_ignore_are_refused(words: str, refused: Refused, tmp_path: Path) -> None:
    """Regression: `spikecheck diagnose run.csv --set lr=0.1` ignored the option and exited with 0."""
    (tmp_path / "run.csv").write_text("step,loss\n0,1.0\n1,1.0\n")
    option = words.split(maxsplit=1)[0]
    assert refused(f"diagnose run.csv {words}") == f"error: {option}: belongs to --workload; give that as well"


@pytest.mark.parametrize("option", ["--loss", "--step"])
def test_a_column_without_a_log_is_refused(option: str, refused: Refused) -> None:
    """Regression: the name was ignored, and the workload was trained."""
    said = refused(f"diagnose --workload mlp {option} cost")
    assert said == f"error: {option}: names a column of LOG; give LOG as well"


@pytest.mark.parametrize("words", ["--seed 1.5", "--seed x"])
def test_what_is_no_whole_number_is_called_so(words: str, refused: Refused) -> None:
    """Regression: click said that 1.5 "is not a valid integer range"."""
    assert "is not a valid whole number" in refused(f"verify --plan {words}")


def test_a_value_out_of_range_is_a_mistake_and_no_reason_to_leave_a_claim_out(refused: Refused) -> None:
    """Regression: exit code 5, "no selected claim can be verified with torch.optim:Adam: slas lr=-1: …"."""
    said = refused("verify --claim slas --optimizer torch.optim:Adam --set lr=-1")
    assert said == "error: lr=-1: input should be greater than 0"


def test_a_file_in_place_of_a_store_is_called_a_file(refused: Refused, tmp_path: Path) -> None:
    """Regression: "File exists; give --store DIR"."""
    (tmp_path / "runs").write_text("")
    assert refused("store info --store runs") == "error: store runs: is a file; give --store DIR, or --no-store"
