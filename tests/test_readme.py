"""README's code runs, its commands are understood, its links lead somewhere."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from spikecheck.cli import cli
from spikecheck.harness.discover import read

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("console") for line in block.splitlines()]
SETUPS = [line for line in COMMANDS if line.startswith("python3 -m venv")]
CALLS = [line for line in COMMANDS if line.startswith("spikecheck ")]
SESSIONS = [line for line in COMMANDS if line.startswith("nox -s ")]


def assert_understood(arguments: list[str]) -> None:
    """Parse a call to the end, without carrying it out."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        command = command.commands[arguments[0]]
        arguments = arguments[1:]
    command.make_context(command.name, arguments)


def test_every_console_line_is_one_of_those_tested_here() -> None:
    assert len(SETUPS) == 2
    assert sorted(SETUPS + CALLS + SESSIONS) == sorted(COMMANDS)


def test_the_python_blocks_run_one_after_another(tmp_path: Path) -> None:
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks("python")), encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_claim_is_a_claim_file(tmp_path: Path) -> None:
    file = tmp_path / "falling_loss.py"
    file.write_text(blocks("python")[0], encoding="utf-8")
    assert read(file).id == "falling-loss"


@pytest.mark.parametrize("line", CALLS)
def test_a_call_is_understood(line: str) -> None:
    assert_understood(shlex.split(line)[1:])


@pytest.mark.parametrize(
    "line", [line for line in CALLS if re.fullmatch(r"spikecheck (list|explain \S+|store info)", line)]
)
def test_the_cheap_calls_run(line: str) -> None:
    subprocess.run([sys.executable, "-m", *shlex.split(line)], check=True, capture_output=True)


@pytest.mark.parametrize("line", SESSIONS)
def test_a_session_is_one_of_noxs(line: str) -> None:
    name = line.removeprefix("nox -s ")
    assert f"@nox.session\ndef {name}(session: nox.Session)" in (ROOT / "noxfile.py").read_text(encoding="utf-8")


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


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_a_link_leads_to_a_file(target: str) -> None:
    assert (ROOT / target).is_file()
